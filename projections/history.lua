-- What an item's history should hold, where a part of the log was trimmed: the positions of the
-- item's events that are in the stream, from the oldest on.
--
-- Goes on after the texts of positions.lua, item_history.lua and tried.lua. It takes no key and no argument
-- itself.

-- How many positions there are in a text that has a blank in between.
local function count_of(positions)
  local _, count = string.gsub(positions, '%S+', '')
  return count
end

-- Looks where the stream begins, once it is asked whether a position comes before that.
local function part_in_stream(events)
  return { events = events }
end

local function is_trimmed(log, position)
  if not log.begins_at then
    local first = redis.call('XRANGE', log.events, '-', '+', 'COUNT', 1)[1]
    log.begins_at = first and key_of(first[1]) or ''
  end
  return key_of(position) < log.begins_at
end

-- How many positions a history has up to one, with that; 0 where it has not got it.
local function place_after(history, position)
  local is_sound, place = pcall(count_at, history, position)
  if is_sound and redis.call('LINDEX', history, place - 1) == position then
    return place
  end
  local found = tried('LPOS', history, position)  -- something is wrong with what is around it
  return type(found) == 'number' and found + 1 or 0
end

-- Where some of an item's positions, with blanks in between, stand in its history, counted from 0, and
-- those of them that were not trimmed. `previous` is the position before them, nil if there is none.
local function place_in_history(log, history, previous, positions)
  while positions ~= '' and is_trimmed(log, string.match(positions, '^%S+')) do
    positions, previous = string.match(positions, '^%S+ ?(.*)$'), nil
  end
  if positions == '' or not previous or is_trimmed(log, previous) then
    return 0, positions
  end
  return place_after(history, previous), positions
end

-- Whether a history ends as it should, where the item's last event made a version and is at a
-- position: with that, once, or with nothing, where that was trimmed. What comes before the last
-- position is not looked at; of a first version there is none.
local function ends_with(log, history, version, position)
  if is_trimmed(log, position) then
    return tried('LLEN', history) == 0
  end
  local last = tried('LRANGE', history, -2, -1)
  if last.err or last[#last] ~= position then
    return false
  end
  return #last == 1 or version > 1 and last[1] ~= position
end

-- The same of one of which nothing was trimmed. LPOS says at once whether it has as many positions as
-- there are versions; LRANGE would need a number as text, which takes as long as all else.
local function ends_whole(history, version, position)
  return tried('LPOS', history, position, 'RANK', '-1', 'MAXLEN', '1') == version - 1
end
