-- The same text to somebody else's submit: arguments are the path and a file with the body before
-- and after its number, and one header a line. Whatever is not answered with 2xx is counted.

local threads = {}

function setup(thread)
  thread:set("id", #threads)
  table.insert(threads, thread)
end

function init(args)
  bad, seen = 0, 0
  path = args[1]
  local file = assert(io.open(args[2], "r"))
  before, after = file:read("l"), file:read("l")
  headers = {["Content-Type"] = "application/json"}
  for line in file:lines() do
    local name, value = line:match("^(.-): (.*)$")
    headers[name] = value
  end
  file:close()
end

function request()
  seen = seen + 1
  local number = string.format("%d-%07d", id, seen)
  return wrk.format("POST", path, headers, before .. number .. (after:gsub("{number}", number)))
end

function response(status)
  if status < 200 or status > 299 then bad = bad + 1 end
end

function done(summary, latency)
  local wrong, errors = 0, summary.errors
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("bad") end
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d %d %d\n", summary.requests, summary.duration,
    wrong, lost, latency:percentile(50), latency:percentile(99), latency.max))
end
