-- The requests of one workload, and at the end one line of JSON with what came of them.
-- wrk -s wrk.lua URL -- WORKLOAD IDS ITEMS PUT-METHOD PUT-PATH PUT-BODY GET-METHOD GET-PATH GET-BODY
-- Paths and bodies have %d, in any of its forms, for the number of an item, or nothing. ITEMS is how
-- many of them a batch has.

local JSON = { ['Content-Type'] = 'application/json' }

local ids, items, workload, put, get
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

-- Made beforehand: the load generator has its core not for itself.
local batches = {}

function workloads.batch()
  return batches[count % #batches + 1]
end

local function batch_of(first)
  local requests = {}
  for n = first, first + items - 1 do
    local number = n * 7919 % ids
    requests[#requests + 1] = ('{"method":"%s","path":"%s","body":%s}'):format(
      put.method, put.path:format(number), put.body)
  end
  local body = '{"requests":[' .. table.concat(requests, ',') .. ']}'
  return wrk.format('POST', '/batch', JSON, body)
end

function init(arguments)
  workload = workloads[arguments[1]]
  ids, items = tonumber(arguments[2]), tonumber(arguments[3])
  put = template(arguments[4], arguments[5], arguments[6])
  get = template(arguments[7], arguments[8], arguments[9])
  if workload == workloads.batch then
    for first = 0, ids - 1, items do
      batches[#batches + 1] = batch_of(first)
    end
  end
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
