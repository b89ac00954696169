-- The requests of one workload, and at the end one line of JSON with what came of them.
-- wrk -s wrk.lua URL -- WORKLOAD IDS PUT-METHOD PUT-PATH PUT-BODY GET-METHOD GET-PATH GET-BODY
-- Paths and bodies have %d, in any of its forms, for the number of an item, or nothing.

local JSON = { ['Content-Type'] = 'application/json' }

local ids, workload, put, get
local count = -2 -- the first is the one that wrk asks for before it starts, and does not send

local function formatted(request, headers)
  local number = count * 7919 % ids
  local body = request.body
  if request.body_varies then
    body = body:format(number)
  end
  return wrk.format(request.method, request.path:format(number), headers or body and JSON, body)
end

local function template(method, path, body)
  return {
    method = method,
    path = path,
    body = body ~= '' and body or nil,
    body_varies = body:find('%', 1, true) ~= nil,
  }
end

local workloads = {}

function workloads.put()
  return formatted(put)
end

function workloads.get()
  return formatted(get)
end

function workloads.mixed()
  return formatted(count % 5 == 0 and put or get)
end

-- Once round the ids to create them, then each at the version that the round before left.
function workloads.conditional()
  local version = math.floor(count / ids)
  local condition = version == 0 and 'If-None-Match' or 'If-Match'
  return formatted(put, {
    ['Content-Type'] = 'application/json',
    [condition] = version == 0 and '*' or '"' .. version .. '"',
  })
end

function init(arguments)
  workload = workloads[arguments[1]]
  ids = tonumber(arguments[2])
  put = template(arguments[3], arguments[4], arguments[5])
  get = template(arguments[6], arguments[7], arguments[8])
end

function request()
  count = count + 1
  return workload()
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,' ..
    '"p50":%d,"p90":%d,"p99":%d,"p999":%d}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency:percentile(99.9)))
end
