-- Replays events of the log into the shadow of the current items, the copy that a rebuild builds
-- beside the live one. All scripts of a rebuild begin with the texts of apply.lua, positions.lua,
-- item_history.lua, tried.lua, history.lua and this one.
--   KEYS[1]  the log
--   KEYS[2]  the shadow's rows     hash    id -> row
--   KEYS[3]  the shadow's ids      zset
--   KEYS[4]  the lease of the rebuild
--   KEYS[5]  the items whose live history is wrong    set
--   KEYS[6]  how the archive stands: where it has a border, histories lack what was trimmed
--   KEYS[7]  how many of the log's events were trimmed
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

local border, log = redis.call('HGET', KEYS[6], 'border'), part_in_stream(KEYS[1])
local any_wrong = redis.call('EXISTS', KEYS[5]) == 1

-- Notes that an item's live history is wrong after its first `right` positions.
local function mark_wrong(item, right)
  renew()
  any_wrong = true
  local live, shadow = ARGV[2] .. item, ARGV[1] .. item
  redis.call('SADD', KEYS[5], item)
  if right > 0 and type(tried('LLEN', live)) == 'number' then
    redis.call('COPY', live, shadow)
    redis.call('LTRIM', shadow, 0, right - 1)
  end
end

local function is_marked(item)
  return any_wrong and redis.call('SISMEMBER', KEYS[5], item) == 1
end

-- Adds positions, with blanks in between, to a shadow history: those that it has not got yet, for a
-- part of the log that is trimmed while it is replayed is replayed again.
local function extend_shadow(item, positions)
  renew()
  local shadow = ARGV[1] .. item
  local last = redis.call('LINDEX', shadow, -1)
  local key = last and key_of(last)
  for position in string.gmatch(positions, '%S+') do
    if not key or key_of(position) > key then
      redis.call('RPUSH', shadow, position)
    end
  end
end

-- The last `count` of an item's first `version` positions must be these, with blanks in between;
-- `previous` is the one before them, nil if that is not known, or there is none.
local function check_history(item, version, count, positions, previous)
  if not is_marked(item) then
    local right = version - count
    if border then
      right, positions = place_in_history(log, ARGV[2] .. item, previous, positions)
      if positions == '' then
        return
      end
    end
    local found = tried('LRANGE', ARGV[2] .. item, right, right + count_of(positions) - 1)
    if not found.err and table.concat(found, ' ') == positions then
      return
    end
    mark_wrong(item, right)
  end
  extend_shadow(item, positions)
end

local rebuilt = collection_of(KEYS[1], KEYS[2], KEYS[3], ARGV[1])

-- What is known of an item before an event: whether it exists, the positions of its creation and of
-- its last event, and how many bytes were read for that.
local function state_of(item)
  local replayed = rebuilt.rows[item]  -- in this step, and not written yet
  local row = replayed or redis.call('HGET', KEYS[2], item)
  local _, exists, created, size = read_row(row)
  return exists, created, created and position_of(row), replayed and 0 or size
end

-- Replays some of an item's events. The row is what the last one leaves, and this entry is that
-- one; `created` is the position of the last ItemCreated among them, empty where there is none. Of
-- `positions`, `count` of them, are those that may be in the item's history. Gives how many bytes it
-- has looked at besides.
--
-- A history of one position is left to compare.lua, which looks at each item anyway, or to the
-- item's second event: then the first one is where the item was created.
local function replay(entry, created, count, positions)
  renew()
  local position, fields, size = entry[1], entry[2], 0
  local event_type, item, version, data = fields[2], fields[4], fields[6], fields[8]
  local number, existed, first, previous = tonumber(version), nil, nil, nil
  if created == '' or number == count + 1 or border then
    existed, first, previous, size = state_of(item)
    if created == '' then
      created = first or position  -- in a log that this store did not write
    end
  end
  local exists = event_type ~= 'ItemDeleted'
  if exists ~= existed then
    rebuilt.listed[item] = exists
  end
  rebuilt.rows[item] = row_of(event_type, version, position, created, data)
  if count == 0 then
    return size
  elseif is_marked(item) then  -- then the shadow history has what came before
    extend_shadow(item, positions)
  elseif first and number == count + 1 then
    check_history(item, number, number, first .. ' ' .. positions)
  elseif number > 1 then
    check_history(item, number, count, positions, previous)
  end
  return size
end
