import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { CommandChannel, mysql } from "@mirrorpool/mysql2";
import { afterAll, beforeAll, expect, test } from "vitest";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ server: "mariadb", mirrors: 0 });
});
afterAll(() => cluster?.close());

/** COM_BINLOG_DUMP from the beginning, which ends where the log does. */
const dump = (): Buffer => {
  const payload = Buffer.alloc(11);
  payload[0] = 0x12;
  payload.writeUInt32LE(4, 1);
  payload.writeUInt16LE(1, 5);
  payload.writeUInt32LE(4_000_000_001, 7);
  return payload;
};

test("a command of the protocol hands its packets on, up to the end of its answer", async () => {
  await using pool = createPool({ driver: mysql(), nodes: [cluster.primary().adminUrl] });
  await using connection = await pool.reserve();
  await connection.query("SET @master_binlog_checksum = @@global.binlog_checksum");
  const types: number[] = [];
  const channel = new CommandChannel({
    text: "BINLOG DUMP",
    payload: dump(),
    onPacket: (bytes) => types.push(bytes[5] ?? 0),
  });
  await channel.run(connection, { timeoutMs: 10_000 });
  expect(types).toContain(15); // where the log describes its form
});

test("what the server refuses is its own error, and the connection goes on", async () => {
  await using pool = createPool({ driver: mysql(), nodes: [cluster.primary().url] });
  await using connection = await pool.reserve();
  const channel = new CommandChannel({ text: "BINLOG DUMP", payload: dump(), onPacket: () => {} });
  await expect(channel.run(connection, { timeoutMs: 10_000 })).rejects.toMatchObject({ errno: 1227 });
  expect(await connection.query("SELECT 1 AS one")).toMatchObject({ rows: [{ one: 1 }] });
});

test("a connection that is lost ends the command", async () => {
  await using pool = createPool({ driver: mysql(), nodes: [cluster.primary().adminUrl] });
  await using connection = await pool.reserve();
  await connection.query("SET @master_binlog_checksum = @@global.binlog_checksum");
  const payload = dump();
  payload.writeUInt16LE(0, 5); // it waits for more
  const channel = new CommandChannel({ text: "BINLOG DUMP", payload, onPacket: () => {} });
  const running = channel.run(connection, { timeoutMs: 10_000 });
  await channel.opened;
  channel.pause();
  channel.resume();
  connection.release();
  await expect(running).rejects.toMatchObject({ code: "RESERVED_LOST" });
});
