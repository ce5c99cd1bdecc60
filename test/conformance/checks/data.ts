import { describe, expect } from "vitest";
import { settle } from "../../failover/support/outcome.ts";
import { expectCode } from "../expect-code.ts";
import type { Check } from "../gaps.ts";
import { STREAM_FROM, STREAM_ROWS } from "../orders.ts";
import { atRest, type Stage } from "../stage.ts";
import type { Sample } from "../subject.ts";

/** Values as they were written, and rows one after the other. */
export function data(stage: Stage, check: Check): void {
  describe("data", () => {
    check("types", "values come back as they were written", async () => {
      await using scene = await stage.open();
      for (const sample of samples(() => stage.newId())) {
        expect(await scene.subject.roundTrip(sample)).toEqual(sample);
      }
    });

    check("stream", "a stream gives all rows, in their order", async () => {
      await using scene = await stage.open();
      let next = STREAM_FROM;
      for await (const { id } of scene.subject.stream(STREAM_FROM)) {
        expect(id).toBe(next);
        next += 1;
      }
      expect(next - STREAM_FROM).toBe(STREAM_ROWS);
      await atRest(scene.pool);
    });

    check("stream-break", "a stream that is left early gives its connection back", async () => {
      await using scene = await stage.open({ pool: { max: 1 } });
      for (let run = 0; run < 5; run += 1) {
        for await (const { id } of scene.subject.stream(STREAM_FROM)) {
          if (id === STREAM_FROM + 10) break;
        }
        await atRest(scene.pool);
      }
      expect((await scene.subject.find(STREAM_FROM))?.id).toBe(STREAM_FROM);
    });

    check("stream-loss", "a stream whose connection is lost says so, and is never started again", async () => {
      await using scene = await stage.open();
      const seen: number[] = [];
      const { error } = await settle(
        (async () => {
          for await (const { id } of scene.subject.stream(STREAM_FROM)) {
            seen.push(id);
            if (seen.length > 1) continue;
            for (const { proxy } of stage.cluster.nodes) proxy.dropConnections();
          }
        })(),
      );
      expectCode(error, "STREAM_LOST");
      expect(seen.length).toBeLessThan(STREAM_ROWS);
      expect(seen).toEqual(seen.map((_, index) => STREAM_FROM + index));
      await atRest(scene.pool);
    });
  });
}

function samples(newId: () => number): readonly Sample[] {
  return [
    {
      id: newId(),
      large: 9_007_199_254_740_993n,
      exact: "12345678901234567890.0123456789",
      moment: new Date("2026-02-28T23:59:59.987Z"),
      document: { nested: [1, "zwei", null, true, { deep: "größer" }], quote: 'it\'s \\ "so"' },
      bytes: "00ff0a5c27deadbeef",
      tags: ["plain", "with, comma", 'with "quotes"', "", "NULL", "ünï\\cödé"],
    },
    {
      id: newId(),
      large: -9_223_372_036_854_775_808n,
      exact: "-0.0000000001",
      moment: new Date("1969-07-20T20:17:40.000Z"),
      document: [],
      bytes: "",
      tags: [],
    },
  ];
}
