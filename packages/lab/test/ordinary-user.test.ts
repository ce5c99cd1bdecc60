import { expect, test } from "vitest";
import { serverAccount } from "../src/platform/account.ts";
import { runChild } from "./children.ts";
import { NO_TRACES, tracesIn } from "./traces.ts";

test("everything works as an ordinary user, without root", async () => {
  const account = serverAccount();
  const child = runChild("./children/ordinary-user.ts", [], account);
  expect(await child.ended, child.output()).toBe(0);
  const seen: unknown = JSON.parse(child.output());
  const uid = account?.uid ?? process.getuid?.();
  expect(seen).toEqual({
    uid,
    directory: expect.stringContaining(`/mirrorpool-lab-${uid}/run-${child.process.pid}-`),
    disk: "not-possible-here",
  });
  if (account !== undefined) expect(tracesIn(`/dev/shm/mirrorpool-lab-${uid}`)).toEqual(NO_TRACES);
});
