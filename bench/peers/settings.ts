import { createPool, type Pool } from "mysql2/promise";

/** What a peer is told by its environment: the same engines that Sluice gets, and a corner of its own in them. */
export const settings = {
  port: Number(process.env["PORT"]),
  redisUrl: process.env["REDIS_URL"] ?? "",
  /** Begins every key. */
  namespace: process.env["REDIS_NAMESPACE"] ?? "",
};

/** Connections to MySQL as Sluice makes them: UTC, and durable at each commit as the server is set up. */
export function openDatabase(connections: number): Pool {
  const { env } = process;
  return createPool({
    host: env["DATABASE_HOST"] ?? "127.0.0.1",
    port: Number(env["DATABASE_PORT"]),
    user: env["DATABASE_USERNAME"] ?? "",
    password: env["DATABASE_PASSWORD"] ?? "",
    database: env["DATABASE_NAME"] ?? "",
    charset: "utf8mb4",
    timezone: "Z",
    connectionLimit: connections,
  });
}

/** Tells the process that started this one that it can begin. */
export function tellReady(): void {
  process.send?.("ready");
  process.once("disconnect", () => process.exit(0));
}
