-- One submit a request: a key and a text of its own, the tokens in turn. Whatever is not
-- answered with 202 is counted, because a bench with errors says nothing.

local threads = {}

function setup(thread)
  thread:set("id", #threads)
  table.insert(threads, thread)
end

function init(args)
  tokens, bad, seen, first_bad = {}, 0, 0, ""
  run = args[1]
  local file = assert(io.open(args[2], "r"))
  before, between, after = file:read("l"), file:read("l"), file:read("l")
  for token in file:lines() do table.insert(tokens, token) end
  file:close()
  headers = {["Content-Type"] = "application/json"}
end

function request()
  seen = seen + 1
  local number = string.format("%s%d%07d", run, id, seen)
  headers["Idempotency-Key"] = number
  headers["Authorization"] = "Bearer " .. tokens[seen % #tokens + 1]
  return wrk.format("POST", "/v1/proposals", headers,
    before .. number .. between .. number .. after)
end

function response(status, headers, body)
  if status ~= 202 then
    bad = bad + 1
    if first_bad == "" then first_bad = status .. " " .. string.sub(body, 1, 300) end
  end
end

function done(summary, latency, requests)
  local wrong, words = 0, ""
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("bad")
    if words == "" then words = thread:get("first_bad") end
  end
  local errors = summary.errors
  io.write(string.format(
    "\nRESULT %d %d %d %d %d %d %d\nWORDS %s\n",
    summary.requests, summary.duration, wrong,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max,
    string.gsub(words, "%s+", " ")))
end
