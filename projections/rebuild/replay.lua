-- Replays events of the log into the shadow of the current items, the copy that a rebuild builds
-- beside the live one. All scripts of a rebuild begin with apply.lua and this text.
--   KEYS[1]  the log
--   KEYS[2]  the shadow's rows     hash    id -> row
--   KEYS[3]  the shadow's ids      zset
--   KEYS[4]  the lease of the rebuild
--   KEYS[5]  the items whose live history is wrong    set
--   ARGV[1]  in front of an id: the key of its shadow history, which is written for these only
--   ARGV[2]  in front of an id: the key of its live history
--   ARGV[3], ARGV[4], ARGV[5]  the lease: its value before, its value after, its lifetime in ms
-- Reply: nil, and nothing done, where the lease is somebody else's by now.

if redis.call('GET', KEYS[4]) ~= ARGV[3] then
  return false
end

-- The lease is renewed before the first write, so that a step that is sent twice is done once. One
-- that only reads leaves it as it is: then there is nothing that has to be on disk first.
local renewed = 0

local function renew()
  if renewed == 0 then
    redis.call('SET', KEYS[4], ARGV[4], 'PX', ARGV[5])
    renewed = 1
  end
end

local any_wrong = redis.call('EXISTS', KEYS[5]) == 1

-- Notes that an item's live history is wrong after its first `right` positions.
local function mark_wrong(item, right)
  renew()
  any_wrong = true
  local live, shadow = ARGV[2] .. item, ARGV[1] .. item
  redis.call('SADD', KEYS[5], item)
  if right > 0 and type(redis.pcall('LLEN', live)) == 'number' then
    redis.call('COPY', live, shadow)
    redis.call('LTRIM', shadow, 0, right - 1)
  end
end

local function is_marked(item)
  return any_wrong and redis.call('SISMEMBER', KEYS[5], item) == 1
end

-- The last `count` of an item's first `version` positions must be these, with blanks in between.
local function check_history(item, version, count, positions)
  local right = version - count
  if not is_marked(item) then
    local found = redis.pcall('LRANGE', ARGV[2] .. item, right, version - 1)
    if not found.err and table.concat(found, ' ') == positions then
      return
    end
    mark_wrong(item, right)
  end
  renew()
  for position in string.gmatch(positions, '%S+') do
    redis.call('RPUSH', ARGV[1] .. item, position)
  end
end

local rebuilt = collection_of(KEYS[1], KEYS[2], KEYS[3], ARGV[1])

local function state_of(item)
  return read_row(redis.call('HGET', KEYS[2], item))
end

-- What state_of will say of the rows that were replayed and are not written yet, by item.
local existing, created_at = {}, {}

-- Replays some of an item's events. The row is what the last one leaves, and this entry is that
-- one; `created` is the position of the last ItemCreated among them, empty where there is none.
--
-- A history of one position is left to compare.lua, which looks at each item anyway, or to the
-- item's second event: `created` is where the first one was.
local function replay(entry, created, count, positions)
  renew()
  local position, fields = entry[1], entry[2]
  local event_type, item, version, data = fields[2], fields[4], fields[6], fields[8]
  local number, first = tonumber(version), nil
  local exists, existed = event_type ~= 'ItemDeleted', existing[item]
  if created == '' or number == count + 1 then
    first = created_at[item]
    if not first then
      local _
      _, existed, first = state_of(item)
    end
    if created == '' then
      created = first or position  -- in a log that this store did not write
    end
  end
  if exists ~= existed then
    rebuilt.listed[item] = exists
  end
  rebuilt.rows[item] = row_of(event_type, version, position, created, data)
  existing[item], created_at[item] = exists, created
  if is_marked(item) then  -- then the shadow history has what came before
    check_history(item, number, count, positions)
  elseif first and number == count + 1 then
    check_history(item, number, number, first .. ' ' .. positions)
  elseif number > 1 then
    check_history(item, number, count, positions)
  end
end
