import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A certificate for this machine and the authority that signed it, which nobody knows; as PEM files. */
export class Certificates {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes them; nothing where there is no openssl to do it with. */
  static make(): Certificates | undefined {
    const made = new Certificates(mkdtempSync(path.join(tmpdir(), "sluice-certificates-")));
    const days = ["-days", "2"];
    const key = ["-newkey", "rsa:2048", "-nodes"];
    const names = made.#path("names.txt");
    writeFileSync(names, "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { stdio: "ignore" });
    try {
      openssl(
        "req",
        "-x509",
        ...days,
        ...key,
        "-subj",
        "/CN=authority",
        "-keyout",
        made.#path("ca.key"),
        "-out",
        made.authority,
      );
      openssl("req", ...key, "-subj", "/CN=localhost", "-keyout", made.key, "-out", made.#path("server.csr"));
      const signed = [
        "-CA",
        made.authority,
        "-CAkey",
        made.#path("ca.key"),
        "-CAcreateserial",
        "-extfile",
        names,
      ];
      openssl("x509", "-req", ...days, "-in", made.#path("server.csr"), ...signed, "-out", made.certificate);
      return made;
    } catch {
      made.remove();
      return undefined;
    }
  }

  get authority(): string {
    return this.#path("ca.crt");
  }

  get certificate(): string {
    return this.#path("server.crt");
  }

  get key(): string {
    return this.#path("server.key");
  }

  /** What a client of the test's own is told. */
  get client(): { tls: { ca: string } } {
    return { tls: { ca: readFileSync(this.authority, "utf8") } };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #path(name: string): string {
    return path.join(this.#directory, name);
  }
}
