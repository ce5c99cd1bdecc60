import { PrismaMariaDb } from "@prisma/adapter-mariadb";
import { PrismaClient } from "./prisma/mysql/generated/client.ts";

export const prisma = new PrismaClient({
  adapter: new PrismaMariaDb(process.env["DATABASE_URL"] ?? ""),
});

export const migrations = "prisma/mysql/migrations";
