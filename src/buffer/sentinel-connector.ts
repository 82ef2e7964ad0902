import { SentinelConnector, type SentinelConnectionOptions } from "ioredis";

/**
 * Connects to the master that sentinels name, again whenever that one is lost.
 *
 * What listens for failovers ends with the connection for which it was made. ioredis leaves it to the next one,
 * and news of a failover that came while the sentinels were asked for the new master ended the client for good.
 */
export class MasterConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }

  override connect(
    ...args: Parameters<SentinelConnector["connect"]>
  ): ReturnType<SentinelConnector["connect"]> {
    const own = this as unknown as { failoverDetector: { cleanup: () => void } | null };
    own.failoverDetector?.cleanup();
    // Once: each further attempt would leave one more listener on its sockets.
    own.failoverDetector = null;
    return super.connect(...args);
  }
}
