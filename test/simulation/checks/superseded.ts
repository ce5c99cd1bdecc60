import type { Observation } from "@mirrorpool/core";
import { SYSTEM } from "../world/world.ts";
import type { Check, Of, Violation } from "./check.ts";
import { isRead } from "./check.ts";

/**
 * No write goes to a node that is not the newest known primary of the current epoch: neither by the pool's own topology, nor
 * by what its probes had been told before.
 */
export const noWriteToSuperseded: Check = (happenings) => {
  const violations: Violation[] = [];
  const seen = new Seen();
  for (const happening of happenings) {
    if (happening.type === "observed") seen.note(happening);
    if (happening.type !== "sent") continue;
    for (const what of [...judgeStand(happening), ...seen.judge(happening)]) {
      const where = `${happening.text} to ${happening.node} on connection ${happening.connection}`;
      violations.push({ rule: "no write to a superseded primary", at: happening.at, what: `${where}: ${what}` });
    }
  }
  return violations;
};

const isWrite = ({ text, inTransaction }: Of<"sent">): boolean => inTransaction || !isRead(text);

/** What the pool itself believed. */
function judgeStand(sent: Of<"sent">): string[] {
  const { stand, node, inTransaction, isPinned } = sent;
  if (!isWrite(sent)) return [];
  if (stand.primary !== node) return [`the primary was ${stand.primary}`];
  return stand.isWritable || inTransaction || isPinned ? [] : ["the primary took no writes"];
}

/** What the pool had been told of the server that it sends to, and had the time to believe: by an earlier event. */
class Seen {
  readonly #last = new Map<string, Of<"observed">>();
  readonly #before = new Map<string, Of<"observed">>();
  #highestTimeline = 0;
  #highestAt = -1;

  note(observed: Of<"observed">): void {
    const { observation, step, isGreeting } = observed;
    const { timeline = 0, systemId, instance } = observation;
    const last = this.#last.get(instance);
    if (last !== undefined) this.#before.set(instance, last);
    this.#last.set(instance, observed);
    // a connection that turns out to lead elsewhere is dropped, and has the monitor look again
    if (isGreeting || systemId !== SYSTEM || timeline <= this.#highestTimeline) return;
    this.#highestTimeline = timeline;
    this.#highestAt = step;
  }

  judge(sent: Of<"sent">): string[] {
    const last = this.#last.get(sent.instance);
    const objections = this.#object(sent, last?.observation);
    // told at this very moment, the pool need not have believed it yet
    const before = this.#before.get(sent.instance)?.observation;
    return last?.step === sent.step && this.#object(sent, before).length === 0 ? [] : objections;
  }

  #object(sent: Of<"sent">, known: Observation | undefined): string[] {
    // an address may lead elsewhere from one moment to the next
    if (known === undefined) return ["nobody had looked at the server that it leads to"];
    const found: string[] = [];
    if (known.systemId !== SYSTEM) found.push("it is of another cluster");
    if (!isWrite(sent)) return found;
    if (known.role !== "primary") found.push("it had said that it is a mirror");
    const isOld = known.timeline !== undefined && known.timeline < this.#highestTimeline && this.#highestAt < sent.step;
    if (isOld) found.push(`it is on timeline ${known.timeline}, and ${this.#highestTimeline} was seen`);
    return found;
  }
}
