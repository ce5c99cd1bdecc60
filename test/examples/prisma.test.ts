import { example } from "./run-example.ts";

example("prisma");
