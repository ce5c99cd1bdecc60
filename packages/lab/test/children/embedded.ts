// A program that makes the embedded PostgreSQL ready, and says where it is and which version.
import { execFileSync } from "node:child_process";
import { openEmbedded } from "../../src/postgres/embedded.ts";

const [, , root = "", run = ""] = process.argv;
const bin = openEmbedded(undefined, run, root);
const version = execFileSync(`${bin}/postgres`, ["--version"], { encoding: "utf8" });
process.stdout.write(`${bin}: ${version}`);
