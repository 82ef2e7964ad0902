import { expect } from "chai";

import { parseRedisAddress, RedisAddressError } from "../src/redis-address.ts";

const nobody = { username: undefined, password: undefined };

describe("An address of Redis", () => {
  it("is that of one server, as it stands", () => {
    const urls = [
      "redis://127.0.0.1",
      "rediss://user:secret@host:6380/2",
      "unix:///run/redis.sock",
      "redis://:p@ss@h/",
    ];
    for (const url of [...urls, "redis://h?db=1", "redis://:100%25sure@h"]) {
      expect(parseRedisAddress(url)).to.deep.equal({ kind: "server", url });
    }
  });

  it("is that of a cluster where it names several nodes, with one user and password for all", () => {
    expect(
      parseRedisAddress("rediss://user:a%2Cb@one:7000, rediss://two,rediss://[::1]:7002/0"),
    ).to.deep.equal({
      kind: "cluster",
      seeds: [
        { host: "one", port: 7000 },
        { host: "two", port: 6379 },
        { host: "::1", port: 7002 },
      ],
      login: { username: "user", password: "a,b" },
      isSecure: true,
    });
  });

  it("is that of sentinels, which name a master", () => {
    const url = "redis+sentinel://:secret@one:26380,two/3?name=mymaster&sentinelPassword=other";
    expect(parseRedisAddress(url)).to.deep.equal({
      kind: "sentinel",
      sentinels: [
        { host: "one", port: 26_380 },
        { host: "two", port: 26_379 },
      ],
      masterName: "mymaster",
      login: { username: undefined, password: "secret" },
      sentinelPassword: "other",
      database: 3,
      isSecure: false,
    });
    expect(parseRedisAddress("rediss+sentinel://one?name=m")).to.deep.include({
      login: nobody,
      database: 0,
      isSecure: true,
    });
  });

  it("is refused with the reason, and without what it says", () => {
    const wrong: Record<string, RegExp> = {
      "http://hunter2": /must begin with redis/,
      "redis://one,http://hunter2": /each node of a cluster/,
      "redis://one,rediss://two": /all as rediss/,
      "redis://one/1,redis://two/1": /no database number/,
      "redis://:hunter2@one,redis://:other@two": /one user and password/,
      "redis://one,redis://two:port": /whole URL/,
      "redis+sentinel://:hunter2@one": /name=mymaster/,
      "redis+sentinel://one/db?name=mymaster": /database number/,
      "redis+sentinel://?name=mymaster": /whole URL|name a host/,
      "redis://u:100%hunter2@h": /a % that begins no code/,
      "redis+sentinel://:100%hunter2@h?name=mymaster": /a % that begins no code/,
      "redis://one,redis://:100%hunter2@two": /a % that begins no code/,
      "redis://h/hunter2": /database number such as \/0/,
      "redis://:p@hunter2:/w@h": /an @ or # behind its host.*%40/,
      "redis://user:12/hunter2@h": /an @ or # behind its host/,
      "redis://user:12?hunter2@h": /an @ or # behind its host/,
      "redis://user:12#hunter2": /an @ or # behind its host/,
      "redis://:hunter2/w@h": /whole URL/,
    };
    for (const [address, reason] of Object.entries(wrong)) {
      expect(() => parseRedisAddress(address), address)
        .to.throw(RedisAddressError, reason)
        .with.property("message")
        .that.does.not.include("hunter2");
    }
  });
});
