/** What `REDIS_URL` says: where Redis is, and in which of its forms. */

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export interface Login {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export type RedisAddress =
  /** One server, or an address that always leads to the one that serves. */
  | { readonly kind: "server"; readonly url: string }
  /** A Redis Cluster; any of its nodes tells of the others. */
  | {
      readonly kind: "cluster";
      readonly seeds: readonly HostAndPort[];
      readonly login: Login;
      readonly isSecure: boolean;
    }
  /** Sentinels, which say who the master of that name is. */
  | {
      readonly kind: "sentinel";
      readonly sentinels: readonly HostAndPort[];
      readonly masterName: string;
      readonly login: Login;
      readonly sentinelPassword: string | undefined;
      readonly database: number;
      readonly isSecure: boolean;
    };

/** Thrown for an address that cannot be; the message says why and repeats nothing of it. */
export class RedisAddressError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RedisAddressError";
  }
}

const redisPort = 6379;
const sentinelPort = 26_379;
const highestPort = 65_535;

/** Reads an address. @throws {RedisAddressError} */
export function parseRedisAddress(text: string): RedisAddress {
  if (/^rediss?\+sentinel:\/\//.test(text)) return parseSentinels(text);
  const parts = text.split(",").map((part) => part.trim());
  return parts.length === 1 ? parseServer(text) : parseCluster(parts);
}

function parseServer(url: string): RedisAddress {
  if (!/^(rediss?|unix):\/\//.test(url)) {
    throw new RedisAddressError(
      "must begin with redis://, rediss://, unix://, redis+sentinel:// or rediss+sentinel://",
    );
  }
  const { protocol, pathname } = parseUrl(url);
  if (protocol !== "unix:" && !/^\/?\d*$/.test(pathname)) {
    throw new RedisAddressError(`must end in its port or in a database number such as /0; ${encoding}`);
  }
  return { kind: "server", url };
}

function parseCluster(parts: readonly string[]): RedisAddress {
  if (!parts.every((part) => /^rediss?:\/\//.test(part))) {
    throw new RedisAddressError("must name each node of a cluster as redis:// or rediss://");
  }
  const urls = parts.map(parseUrl);
  if (new Set(urls.map(({ protocol }) => protocol)).size > 1) {
    throw new RedisAddressError("must name all nodes of a cluster as redis:// or all as rediss://");
  }
  if (urls.some(({ pathname }) => !/^\/?0?$/.test(pathname))) {
    throw new RedisAddressError("must name no database number: a cluster has only 0");
  }
  const logins = urls.map(loginOf).filter(({ username, password }) => username ?? password);
  if (new Set(logins.map((login) => JSON.stringify(login))).size > 1) {
    throw new RedisAddressError("must give one user and password for all nodes of a cluster");
  }
  return {
    kind: "cluster",
    seeds: urls.map((url) => hostAndPort(url, redisPort)),
    login: logins[0] ?? { username: undefined, password: undefined },
    isSecure: urls[0]?.protocol === "rediss:",
  };
}

/** `redis+sentinel://[user:password@]host:port,host:port/database?name=master`; not a URL, for its hosts. */
function parseSentinels(text: string): RedisAddress {
  const [, scheme = "", login = "", hosts = "", rest = ""] =
    /^(rediss?)\+sentinel:\/\/([^@/?]*@)?([^/?]*)(.*)$/.exec(text) ?? [];
  const urls = hosts.split(",").map((host) => parseUrl(`redis://${login}${host}`));
  const { pathname, searchParams } = parseUrl(`redis://host${rest}`);
  const masterName = searchParams.get("name");
  if (!masterName)
    throw new RedisAddressError("must name the master that the sentinels watch: ?name=mymaster");
  const database = /^\/?(\d*)$/.exec(pathname)?.[1];
  if (database === undefined) throw new RedisAddressError("must end in a database number: /0?name=mymaster");
  const [first] = urls;
  return {
    kind: "sentinel",
    sentinels: urls.map((url) => hostAndPort(url, sentinelPort)),
    masterName,
    login: first ? loginOf(first) : { username: undefined, password: undefined },
    sentinelPassword: searchParams.get("sentinelPassword") ?? undefined,
    database: Number(database),
    isSecure: scheme === "rediss",
  };
}

/** What a password is most often wrong in: it then ends too early, and what follows is taken for the host. */
const encoding = "in a user or password write % as %25, / as %2F, @ as %40, # as %23, ? as %3F and : as %3A";

function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw new RedisAddressError(`must be a whole URL, its port a number; ${encoding}`);
  const url = new URL(text);
  if (/[@#]/.test(url.pathname + url.search + url.hash)) {
    throw new RedisAddressError(`has an @ or # behind its host; ${encoding}`);
  }
  loginOf(url);
  return url;
}

function hostAndPort({ hostname, port }: URL, usual: number): HostAndPort {
  const number = port === "" ? usual : Number(port);
  if (hostname === "" || number > highestPort) throw new RedisAddressError("must name a host for each node");
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: number };
}

function loginOf({ username, password }: URL): Login {
  return { username: decoded(username), password: decoded(password) };
}

function decoded(part: string): string | undefined {
  if (part === "") return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RedisAddressError(`has a % that begins no code; ${encoding}`);
  }
}
