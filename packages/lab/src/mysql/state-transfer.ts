import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "../cluster/engine.ts";
import { makeFolder, write } from "../platform/files.ts";

/** Its name in Galera's settings. */
export const STATE_TRANSFER = "lab";

/**
 * Galera asks a script to bring a joining node to the donor's state. All nodes begin as copies of one data directory, so
 * only what a node has missed is ever to be sent, which Galera does itself: the donor's script just tells the joiner's from
 * where. Both are on this machine, where a file does.
 */
const SCRIPT = `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    --role) role=$2; shift ;;
    --address) address=$2; shift ;;
    --gtid) gtid=$2; shift ;;
    --bypass) bypass=yes ;;
  esac
  shift
done
file=$(dirname "$0")/transfer-$address
if [ "$role" = donor ]; then
  [ "$bypass" = yes ] || { echo "the donor no longer has what the joiner has missed" >&2; exit 61; }
  echo "$gtid" >"$file.new" && mv "$file.new" "$file"
  echo "done $gtid"
  exit
fi
rm -f "$file"
echo "ready $address"
# for half a minute, as long as the server waits for it
for i in $(seq 600); do
  [ -f "$file" ] && { cat "$file"; rm -f "$file"; exit; }
  kill -0 "$PPID" || exit 1
  sleep 0.05
done
exit 110
`;

/** Where the script is: to be put in front of the servers' PATH. */
export function scriptFolderOf({ run }: Pick<Site, "run">): string {
  return join(run, "scripts");
}

/** Writes the script. */
export async function writeStateTransfer(site: Site): Promise<void> {
  const folder = scriptFolderOf(site);
  await makeFolder(folder, site.account);
  const file = join(folder, `wsrep_sst_${STATE_TRANSFER}`);
  await write(file, SCRIPT, site.account);
  await chmod(file, 0o755);
}
