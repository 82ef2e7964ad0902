// The ceiling: node:http alone, which parses the JSON it is sent and answers it.
import { createServer } from "node:http";

import { settings, tellReady } from "./settings.ts";

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString() || "null");
    const answer = JSON.stringify(body);
    response.writeHead(201, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(answer),
    });
    response.end(answer);
  });
});

server.listen(settings.port, "127.0.0.1", tellReady);
