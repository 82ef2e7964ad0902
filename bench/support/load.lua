-- Sends one request after another, each to the next of a list of paths, and prints what came of it as JSON.
--
-- Arguments: method, file with a path a line, body (empty for none), idempotency keys' beginning (empty for none),
-- number of addresses from which requests are said to come in turn (0: from where they do)

local requests, heads, at, sent, key = {}, {}, 0, 0, ""

function init(args)
  local method, file, body = args[1], args[2], args[3]
  key = args[4] or ""
  local headers = {}
  if body ~= "" then headers["Content-Type"] = "application/json" end
  -- Made up beforehand: the load generator has the same cores as what it measures.
  if key ~= "" then headers["Idempotency-Key"] = "@KEY@" end
  local paths = {}
  for path in io.lines(file) do paths[#paths + 1] = path end
  local addresses = tonumber(args[5] or "0")
  for nth = 0, math.max(#paths, addresses) - 1 do
    local path = paths[nth % #paths + 1]
    if addresses > 0 then
      headers["X-Forwarded-For"] = string.format("10.0.%d.%d", math.floor(nth / 250) % 250, nth % 250 + 1)
    end
    local request = wrk.format(method, path, headers, body ~= "" and body or nil)
    requests[#requests + 1] = request
    local from, to = string.find(request, "@KEY@", 1, true)
    if from then heads[#heads + 1] = { string.sub(request, 1, from - 1), string.sub(request, to + 1) } end
  end
end

function request()
  at = at % #requests + 1
  if key == "" then return requests[at] end
  sent = sent + 1
  return heads[at][1] .. key .. sent .. heads[at][2]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50Us":%d,"p99Us":%d,"p999Us":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
