-- The requests of one workload, and at the end one line of JSON with what came of them.
-- wrk -s wrk.lua URL -- WORKLOAD IDS PATH

local JSON = { ['Content-Type'] = 'application/json' }
local BODY = '{"name":"Fighters","size":6}'

local ids, start, workload
local count = -2 -- the first is the one that wrk asks for before it starts, and does not send

local function path(number)
  return start .. number * 7919 % ids
end

local workloads = {}

function workloads.put()
  return wrk.format('PUT', path(count), JSON, BODY)
end

function workloads.get()
  return wrk.format('GET', path(count))
end

-- One address again and again.
function workloads.address()
  return wrk.format('GET', start)
end

function workloads.mixed()
  return count % 5 == 0 and workloads.put() or workloads.get()
end

-- Once round the ids to create them, then each at the version that the round before left.
function workloads.conditional()
  local version = math.floor(count / ids)
  local condition = version == 0 and 'If-None-Match' or 'If-Match'
  local headers = {
    ['Content-Type'] = 'application/json',
    [condition] = version == 0 and '*' or '"' .. version .. '"',
  }
  return wrk.format('PUT', path(count), headers, BODY)
end

function init(arguments)
  workload = workloads[arguments[1]]
  ids = tonumber(arguments[2])
  start = arguments[3]
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
