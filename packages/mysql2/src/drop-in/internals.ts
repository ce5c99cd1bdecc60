import type { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import mysql from "mysql2";

/** What of `mysql2` is used beyond its published types; the same in every version since 3.11. */

/** As `mysql2` calls back. */
export type Callback = (error: unknown, answer?: unknown, fields?: unknown) => void;

/** What a connection is asked to do. */
export interface Command extends EventEmitter {
  onResult?: Callback | undefined;
}

export type Options = Readonly<Record<string, unknown>>;

/** What has rows may hand them out as a stream. */
interface RowCommand extends Command {
  stream(options?: object): Readable;
  /** Of which a stream asks to stop and to go on. */
  _connection: { pause(): void; resume(): void } | null;
}

export interface QueryCommand extends RowCommand {
  /** With its values in it, once a connection has it. */
  readonly sql: string;
  readonly values?: unknown;
  /** As the application has given it. */
  readonly _queryOptions: Options;
  readonly namedPlaceholders?: unknown;
}

export interface ExecuteCommand extends RowCommand {
  readonly sql: string;
  readonly parameters?: readonly unknown[];
  readonly _executeOptions: Options;
}

export interface PrepareCommand extends Command {
  readonly query: string;
  readonly options: Options;
}

export const isQuery = (command: Command): command is QueryCommand => "_queryOptions" in command;
export const isExecute = (command: Command): command is ExecuteCommand => "_executeOptions" in command;
export const isPrepare = (command: Command): command is PrepareCommand => "parameterDefinitions" in command;

/** Settings of a connection, read and completed. */
export type ConnectionConfig = Record<string, unknown>;

/** `mysql2`'s connection, as its own classes see it. */
export interface BaseConnection extends EventEmitter {
  readonly config: ConnectionConfig;
  readonly stream: { end(): void };
  _closing?: boolean;
  _released?: boolean;
  _handshakePacket: unknown;
  authorized: boolean;
  addCommand(command: Command): Command;
  _addCommandClosedState(command: Command): Command;
  /** Puts `?` and an array in the place of names and an object. */
  _resolveNamedPlaceholders(query: { sql: unknown; values: unknown; namedPlaceholders: unknown }): void;
  query(sql: unknown, values?: unknown, callback?: unknown): QueryCommand;
  execute(sql: unknown, values?: unknown, callback?: unknown): ExecuteCommand;
  connect(callback?: Callback): void;
  ping(callback?: Callback): unknown;
  reset(callback?: Callback): unknown;
  changeUser(options: unknown, callback?: Callback): unknown;
  pause(): void;
  resume(): void;
  close(): void;
  destroy(): void;
  end(callback?: Callback): unknown;
  promise(implementation?: PromiseConstructor): unknown;
}

export interface BasePoolConnection extends BaseConnection {
  /** Null once it is out of its pool. */
  readonly _pool: BasePool | null;
  release(): void;
  _removeFromPool(): void;
}

interface Queue<T> {
  readonly length: number;
  push(entry: T): void;
}

export interface PoolConfig {
  readonly connectionConfig: ConnectionConfig;
  readonly connectionLimit: number;
  resetOnRelease?: boolean;
}

export interface BasePool extends EventEmitter {
  readonly config: PoolConfig;
  readonly _allConnections: Queue<unknown>;
  readonly _freeConnections: Queue<unknown>;
  readonly _closed: boolean;
  getConnection(callback: (error: unknown, connection?: unknown) => void): void;
  releaseConnection(connection: unknown): void;
  query(sql: unknown, values?: unknown, callback?: unknown): QueryCommand;
  execute(sql: unknown, values?: unknown, callback?: unknown): ExecuteCommand;
  end(callback?: (error?: unknown) => void): void;
  promise(implementation?: PromiseConstructor): unknown;
}

/** A pool of the cluster, under the name that the application gave it. */
interface ClusterNode {
  readonly id: string;
  errorCount: number;
  readonly pool: BasePool;
  _offlineUntil: number;
}

export interface BasePoolCluster extends EventEmitter {
  readonly _nodes: Record<string, ClusterNode>;
  readonly _serviceableNodeIds: string[];
  _lastId: number;
  _closed: boolean;
  _clearFindCaches(): void;
  _increaseErrorCount(node: unknown): void;
  _findNodeIds(pattern: unknown, includeOffline?: boolean): string[];
  add(id: unknown, config?: unknown): void;
  remove(pattern: unknown): void;
  end(callback?: (error?: unknown) => void): void;
}

/** The module's classes, which its types do not all show. */
export const classes = mysql as unknown as {
  readonly Connection: new (options: { config: ConnectionConfig }) => BaseConnection;
  readonly PoolConnection: new (pool: BasePool, options: { config: ConnectionConfig }) => BasePoolConnection;
  readonly Pool: new (options: { config: PoolConfig }) => BasePool;
  readonly PoolCluster: new (options: object) => BasePoolCluster;
  readonly ConnectionConfig: new (options: object) => ConnectionConfig;
};
