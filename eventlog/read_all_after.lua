-- Entries of several logs after a position, in the order of their positions, as many as are small
-- together.
--
-- Begins with the texts of positions.lua, border.lua, entries.lua, wanted.lua and in_order.lua.
--   KEYS     the logs, and then how the archive stands
--   ARGV[1]  the position
--   ARGV[2]  at most so many entries in the reply
--   ARGV[3]  at most so many that it looks at
--   ARGV[4]  at most so many bytes that it looks at, but one entry all the same
--   ARGV[5]  only entries of this type; empty: all
--   ARGV[6]  none after this position; + where that may be any
--   then up to 32 prefixes: only entries of items whose id begins with one of them; none: all
-- Reply: the position up to which it looked, how many entries it looked at, 1 where all logs end
-- there and 0 where one goes on, an empty text, then the entries, each as XRANGE has it with the
-- number of its log, from 1, as a third member. The border alone where that is after the position: the
-- logs may lack what comes then.
--
-- The entries that come first in their logs may be many and large together. Where finding the
-- earliest of them would take long, it looks at none, and the reply has a position in place of the
-- empty text: it wants to be asked again with that as ARGV[6]. Each time that is an earlier one.
--
-- Where many logs take turns it looks at fewer entries: each time it fetches some counts as one.
--
-- XREAD passes over logs that have nothing new without looking at their entries, XRANGE does not; but
-- it knows no last position.

local border = border_after(KEYS[#KEYS], ARGV[1])
if border then
  return { border }
end

local LOGS = #KEYS - 1
local GROUP, MOST, MOST_WORK, MOST_READ = 8, 32, 256, 524288

local most, most_looked, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local is_wanted = wanting(ARGV[5], 7)
local is_any_wanted = ARGV[5] == '' and #ARGV < 7
local place, looked, bytes, read = ARGV[1], 0, 0, 0
local up_to = ARGV[6]
local reply = { place, 0, 0, '' }
local is_full, fetched = false, 0

local function entries_left()
  return most - (#reply - 4)
end

-- Notes what a log has next, if anything.
local function go_on(log, entries)
  log.entries, log.next, log.bytes = entries, 1, 0
  for _, entry in ipairs(entries) do
    log.bytes = log.bytes + size_of(entry[2])
  end
  read = read + log.bytes
  if entries[1] then
    wait(log, entries[1][1])
  end
end

local function fetch(log, after, count)
  go_on(log, redis.call('XRANGE', KEYS[log.number], '(' .. after, up_to, 'COUNT', count))
end

-- Fetches what comes next in a log: the more, the more often it was its turn, but not much more than
-- its share of what is left to look at.
local function fetch_more(log)
  local left = most_looked - looked
  if is_any_wanted then
    left = math.min(left, entries_left())
  end
  local share = math.ceil(left / (#waiting + 1))
  local fit = math.floor((most_bytes - bytes) * #log.entries / (log.bytes + 1))
  log.count = math.max(1, math.min(MOST, 4 * log.count, share, fit))
  fetch(log, log.entries[#log.entries][1], log.count)
  fetched = fetched + 1
end

-- Finds the first entry of each of some logs.
local function find_first(from, to)
  if up_to ~= '+' then
    for number = from, to do
      fetch({ number = number, count = 1 }, place, 1)
    end
    return
  end
  local streams, number_of = {}, {}
  for number = from, to do
    streams[number - from + 1], number_of[KEYS[number]] = KEYS[number], number
    streams[to - from + 1 + number - from + 1] = place
  end
  local found = redis.call('XREAD', 'COUNT', 1, 'STREAMS', unpack(streams)) or {}
  for _, stream in ipairs(found) do
    go_on({ number = number_of[stream[1]], count = 1 }, stream[2])
  end
end

-- Forgets the latest of the entries that were found, where they are large together.
local function forget_latest()
  local sum, first = 0, #waiting
  for i = #waiting, 1, -1 do
    sum = sum + waiting[i].bytes
    if sum > MOST_READ and i < #waiting then
      break
    end
    first = i
  end
  for _ = 2, first do
    table.remove(waiting, 1)
  end
  if first > 1 then
    up_to = waiting[1].position
  end
end

-- One log at first, and then more at once, as long as what was found is small.
local from, at_once = 1, 1
while from <= LOGS do
  local last = math.min(LOGS, from + at_once - 1)
  find_first(from, last)
  if read > MOST_READ then
    forget_latest()
  end
  if read > 2 * MOST_READ and up_to ~= ARGV[6] and last < LOGS then
    reply[4] = up_to
    return reply
  end
  from, at_once = last + 1, read > MOST_READ and 1 or math.min(GROUP, 2 * at_once)
end

local function look_at(log)
  local entry = log.entries[log.next]
  local size = size_of(entry[2])
  if looked > 0 and bytes + size > most_bytes then
    is_full = true
    return
  end
  place, looked, bytes, log.next = entry[1], looked + 1, bytes + size, log.next + 1
  if is_wanted(entry[2]) then
    entry[3] = log.number
    reply[#reply + 1] = entry
  end
  is_full = looked >= most_looked or looked + fetched >= MOST_WORK or bytes >= most_bytes
    or entries_left() == 0
end

while #waiting > 0 and not is_full do
  local log, next_key = take_earliest()
  local next_entry
  repeat
    look_at(log)
    next_entry = log.entries[log.next]
  until is_full or not next_entry or (next_key and key_of(next_entry[1]) > next_key)
  if next_entry then
    wait(log, next_entry[1])
  elseif not is_full then
    fetch_more(log)
  end
end

reply[1], reply[2], reply[3] = place, looked, (not is_full and up_to == '+') and 1 or 0
return reply
