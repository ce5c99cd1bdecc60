import { connect } from "node:net";
import mysql, { type Connection } from "mysql2/promise";
import { onTestFinished } from "vitest";

/** An application's connection to a MariaDB or MySQL node, closed with the test. Its errors are recorded, not thrown. */
export async function connectTo(url: string): Promise<Connection> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => {
    // a frozen server would not answer a goodbye
    socket.destroy();
  });
  const connection = await mysql.createConnection({
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    stream: socket,
  });
  connection.on("error", () => {});
  return connection;
}

/** The error number, or for want of one the code, that `work` fails with. @throws when it succeeds */
export async function failureOf(work: Promise<unknown>): Promise<number | string> {
  try {
    await work;
  } catch (error) {
    const { errno, code, message } = error as { errno?: number; code?: string; message: string };
    // system errors have negative numbers
    return errno !== undefined && errno > 0 ? errno : (code ?? message);
  }
  throw new Error("it succeeded");
}
