import type { Observation } from "@mirrorpool/core";
import { sets } from "../world/positions.ts";
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
  /** The last node that was written to. */
  #reign: Of<"sent"> | undefined;
  /** Nodes that were seen as mirrors since they were last written to. */
  readonly #followed = new Set<string>();
  #highestTimeline = 0;
  #highestAt = -1;

  note(observed: Of<"observed">): void {
    const { observation, step, isGreeting, node } = observed;
    const { timeline = 0, systemId, instance } = observation;
    const last = this.#last.get(instance);
    // on a slow way one may tell of the time before a promotion that another one has told of already
    if (last !== undefined && last.toldAt > observed.toldAt) return;
    if (last !== undefined) this.#before.set(instance, last);
    this.#last.set(instance, observed);
    if (observation.role === "mirror") this.#followed.add(node);
    // a connection that turns out to lead elsewhere is dropped, and has the monitor look again
    if (isGreeting || systemId !== SYSTEM || timeline <= this.#highestTimeline) return;
    this.#highestTimeline = timeline;
    this.#highestAt = step;
  }

  judge(sent: Of<"sent">): string[] {
    const last = this.#last.get(sent.instance);
    const objections = [...this.#object(sent, last?.observation), ...this.#objectToSuccession(sent)];
    // told at this very moment, the pool need not have believed it yet
    const before = this.#before.get(sent.instance)?.observation;
    return last?.step === sent.step && this.#object(sent, before).length === 0 ? [] : objections;
  }

  /** Where there are no timelines a node succeeds another one only after it has followed, or by its history. */
  #objectToSuccession(sent: Of<"sent">): string[] {
    if (!isWrite(sent)) return [];
    const before = this.#reign;
    const hasFollowed = this.#followed.has(sent.node);
    this.#reign = sent;
    this.#followed.delete(sent.node);
    if (before === undefined || before.node === sent.node || hasFollowed) return [];
    const [known, former] = [sent, before].map(({ instance }) => this.#last.get(instance)?.observation);
    if (known === undefined || known.timeline !== undefined) return [];
    const { history } = known;
    const older = former?.history ?? "@";
    const isLater =
      history !== undefined &&
      (sets.supersedes?.(history, older) === true || sets.hasFollowed?.(history, older) === true);
    return isLater ? [] : [`it has not followed since ${before.node} was the primary`];
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
