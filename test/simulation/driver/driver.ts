import type { Connection, Driver, Observation } from "@mirrorpool/core";
import { lengths, sets } from "../world/positions.ts";
import type { Flavour, Server } from "../world/server.ts";
import { type Code, classify, SimulatedError } from "./codes.ts";
import type { Shared } from "./connection.ts";
import { SimulatedConnection } from "./connection.ts";
import { inspect } from "./language.ts";
import { states } from "./states.ts";

/** Most backends of one server. */
const MAX_BACKENDS = 100;

/** The port of the core, against the simulated servers. Hosts are the servers' names. */
export function createSimulatedDriver(shared: Shared, flavour: Flavour): Driver {
  return {
    name: "simulated",
    defaultPort: 1,
    positions: flavour === "transaction-sets" ? sets : lengths,
    transactions: {
      begin: ({ readOnly }) => (readOnly === true ? "BEGIN READ ONLY" : "BEGIN"),
      commit: "COMMIT",
      rollback: "ROLLBACK",
    },
    ledger: {
      keepsPinnedState: flavour !== "transaction-sets",
      schema: () => "",
      commit: (_, token) => ({ text: `TOKENCOMMIT ${token}` }),
      settle: (_, token) => ({ text: `SETTLE ${token}` }),
      isMissing: () => false,
      isBlocked: () => false,
      endSession: (session) => ({ text: `END ${session}` }),
      find: (_, tokens) => ({ text: `FIND ${tokens.join(",")}` }),
      prune: () => ({ text: "PRUNE" }),
    },
    states,
    parseUrl: (url) => ({ host: url, port: 1 }),
    connect: (target, signal) => connect(shared, target.node, signal),
    probe: (connection) => probe(shared, connection),
    classify,
    inspect,
    mayPipeline: () => true,
  };
}

function connect(shared: Shared, node: string, signal: AbortSignal): Promise<Connection> {
  const server = shared.world.serverAt(node);
  const wire = shared.world.path(server).wire();
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const answer = (then: () => void): void => {
      wire.send("down", () => {
        signal.removeEventListener("abort", onAbort);
        then();
      });
    };
    const refuse = (code: Code): void => answer(() => reject(new SimulatedError(code)));
    const accept = (): void => {
      const connection = new SimulatedConnection(shared, node, server, wire);
      answer(() => {
        if (signal.aborted || connection.status === "closed") {
          connection.destroy();
          reject(signal.aborted ? signal.reason : new SimulatedError("ECONNRESET"));
        } else {
          connection.open();
          resolve(connection);
        }
      });
    };
    const logIn = (): void => {
      const refusal = refusalOf(server);
      if (refusal === undefined) accept();
      else refuse(refusal);
    };
    wire.send("up", () => {
      if (server.isRunning) server.act(() => server.work(undefined, logIn));
      else refuse(shared.random.chance(0.9) ? "ECONNREFUSED" : "EHOSTUNREACH");
    });
  });
}

/** Why the server lets nobody in at present. */
function refusalOf({ isStarting, loginFault, backends }: Server): Code | undefined {
  if (isStarting) return "57P03";
  return loginFault ?? (backends.size >= MAX_BACKENDS ? "53300" : undefined);
}

async function probe({ history }: Shared, connection: Connection): Promise<Observation> {
  const { rows } = await connection.run({ text: "PROBE" });
  const { observation, toldAt } = rows[0] as unknown as ReturnType<Server["tell"]>; // PROBE answers exactly one
  const { node, isGreeting } = connection as SimulatedConnection; // the only connections that this driver makes
  history.add({ type: "observed", node, isGreeting, observation, toldAt });
  return observation;
}
