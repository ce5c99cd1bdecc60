import { spawn } from "node:child_process";

/** A process that outlives this one by a moment and cleans up after a `kill -9`. */
export interface Watchdog {
  /** Ends it without further action. */
  dismiss(): void;
}

/**
 * Waits for the end of a pipe that this process holds: the kernel closes it, however this process ends. Then it does in
 * shell what `removeRun` does: kill the servers, remove their shared memory, mounts and files.
 */
const SCRIPT = `
read -r word && exit 0
exec 2>/dev/null
segments=
for signal in STOP KILL KILL KILL; do
  for process in /proc/[0-9]*; do
    case "$(readlink "$process/cwd")" in
      "$1"|"$1"/*)
        case "$(cat "$process/comm")" in postgres|initdb|mariadbd|mysqld|wsrep_sst_lab|ld-linux-*)
          segments="$segments $(grep -o '/dev/shm/PostgreSQL[.][0-9]*$' "$process/maps")"
          kill -$signal "\${process#/proc/}" ;;
        esac ;;
    esac
  done
done
rm -f $segments
for file in "$1"/*/postmaster.pid; do
  ipcrm -m "$(sed -n '7s/.* //p' "$file")"
done
umount --lazy "$1"/*
exec rm -rf -- "$1"
`;

/** Starts the watchdog of `directory`. It exists on Linux; elsewhere only the next sweep cleans up after a `kill -9`. */
export function startWatchdog(directory: string): Watchdog {
  if (process.platform !== "linux") return { dismiss: () => {} };
  const child = spawn("/bin/sh", ["-c", SCRIPT, "mirrorpool-lab-watchdog", directory], {
    // away from the terminal's Ctrl-C, which must not end it before us
    detached: true,
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.unref();
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  return {
    dismiss() {
      child.stdin.end("done\n");
    },
  };
}
