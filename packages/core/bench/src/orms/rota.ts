import type { Measurement } from "../measure.ts";
import { type Begin, Elsewhere, type Request } from "./elsewhere.ts";

/** How V8 has compiled a process, and laid it out in memory, is luck that stays with it and is worth several hundredths. */
const PROCESSES = 3;

type Team = readonly Elsewhere[];

/** Each application in several processes, which take turns from round to round. Only those of one ORM are there at a time. */
export class Rota implements AsyncDisposable {
  #orm: string | undefined;
  #opened = new AsyncDisposableStack();
  #teams: Readonly<Record<"mirrored" | "plain", Team>> = { mirrored: [], plain: [] };

  /** @param round since the cell began */
  async measure(begin: Begin, round: number, request: Request): Promise<Measurement> {
    if (this.#orm !== begin.orm) await this.#change(begin);
    const team = this.#teams[begin.isMirrored ? "mirrored" : "plain"];
    return (team[round % PROCESSES] as Elsewhere).measure(request); // there are as many
  }

  async #change(begin: Begin): Promise<void> {
    await this.#opened.disposeAsync();
    this.#opened = new AsyncDisposableStack();
    this.#teams = {
      mirrored: await this.#team({ ...begin, isMirrored: true }),
      plain: await this.#team({ ...begin, isMirrored: false }),
    };
    this.#orm = begin.orm;
  }

  async #team(begin: Begin): Promise<Team> {
    const team: Elsewhere[] = [];
    while (team.length < PROCESSES) team.push(this.#opened.use(await Elsewhere.open(begin)));
    return team;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync();
  }
}
