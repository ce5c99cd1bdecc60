import { chmodSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { codeOf, LabError } from "../errors.ts";
import { isGone, ownName } from "./owner.ts";

/** Below the ranges that kernels hand out for outgoing connections (Linux 32768, macOS 49152). */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
/** One for all users and all `dataDir`s of this machine, because its ports are. */
const CLAIMS = "/tmp/mirrorpool-lab-ports";

/** A port on 127.0.0.1 that no other lab on this machine will take until it is released. */
export interface ClaimedPort {
  readonly port: number;
  /** Idempotent. */
  release(): void;
}

/**
 * Claims a free port. The claim is a symbolic link named after the port and pointing to its owner's name: made and
 * filled in one step, and readable when its owner is gone.
 * @throws LabError `not-possible-here` when every port is taken
 */
export async function claimPort(): Promise<ClaimedPort> {
  const count = LAST_PORT - FIRST_PORT + 1;
  const offset = Math.floor(Math.random() * count);
  for (let i = 0; i < count; i++) {
    const port = FIRST_PORT + ((offset + i) % count);
    if (!tryClaim(port)) continue;
    const release = () => drop(String(port));
    // a program that is no lab may have it
    if (await isFree(port)) return { port, release };
    release();
  }
  throw new LabError("not-possible-here", `no free port on 127.0.0.1 between ${FIRST_PORT} and ${LAST_PORT}`);
}

/** Removes the claims whose owners are gone. */
export function sweepClaims(): void {
  for (const [port, owner] of listClaims()) if (isGone(owner)) drop(port);
}

/** All claims on this machine: port and owner's name. */
export function listClaims(): readonly (readonly [port: string, owner: string])[] {
  try {
    return readdirSync(CLAIMS).map((port) => [port, readlinkSync(join(CLAIMS, port))]);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    // none, or one was released between the two calls
    return [];
  }
}

function tryClaim(port: number): boolean {
  for (;;) {
    try {
      symlinkSync(ownName(), join(CLAIMS, String(port)));
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      // another lab has just given back the last claim, and the empty folder
      if (codeOf(error) !== "ENOENT") throw error;
      makeClaims();
    }
  }
}

function makeClaims(): void {
  try {
    mkdirSync(CLAIMS);
    // all users may claim, and only drop their own, as in /tmp itself
    chmodSync(CLAIMS, 0o1777);
  } catch (error) {
    if (codeOf(error) !== "EEXIST" && codeOf(error) !== "ENOENT") throw error;
  }
}

/** Removes a claim, and the folder after the last one. What another user made, or removed already, is left. */
function drop(port: string): void {
  for (const remove of [() => unlinkSync(join(CLAIMS, port)), () => rmdirSync(CLAIMS)]) {
    try {
      remove();
    } catch (error) {
      const code = codeOf(error) ?? "";
      if (!["ENOENT", "ENOTEMPTY", "EEXIST", "EPERM", "EACCES"].includes(code)) throw error;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
