-- The one order of a store: each event gets a position after all that were given before, in
-- whichever collection.
--
-- The append script and the import go on with this text after that of apply.lua. It takes no key and
-- no argument itself.
--
-- A position is `<ms>-<number>`. Both can be as large as 2^64 - 1, and Lua's numbers are exact up to
-- 2^53. So an order has the last position as texts, `ms` and `digits`; but its `number` is counted
-- as one while it is small, as it nearly always is. `given` is the last position of this call, and
-- `is_lost` says whether the store had none before it.

local LARGEST = '18446744073709551615'

-- Whether a whole number is less than another.
local function is_less(digits, others)
  return #digits < #others or (#digits == #others and digits < others)
end

local function go_to(order, ms, digits)
  order.ms, order.digits, order.number = ms, digits, #digits < 13 and tonumber(digits) or nil
end

-- The order after the store's last position, at the engine's time, the digits of its milliseconds. An
-- error, and then nothing may be written, where the key holds no position: the store is being
-- restored, or the key holds something else.
local function begin_order(key, now)
  local last = redis.call('GET', key)
  local ms, digits = string.match(last or '0-0', '^(%d+)-(%d+)$')
  if not ms then
    if last == 'restoring' then
      return redis.error_reply('HALFRESTORED')
    end
    return redis.error_reply('BADPOSITION ' .. key)
  elseif is_less(ms, now) then
    return { ms = now, number = -1, is_lost = not last }
  end
  local order = { is_lost = not last }
  go_to(order, ms, digits)
  return order
end

-- The position of the next event where numbers are large, nil where none is left.
local function far_position(order)
  local function plus_one(digits)
    local head, digit, nines = string.match(digits, '^(%d-)([0-8]?)(9*)$')
    return head .. (digit == '' and '1' or digit + 1) .. string.rep('0', #nines)
  end
  if order.digits ~= LARGEST then
    go_to(order, order.ms, plus_one(order.digits))
  elseif order.ms ~= LARGEST then
    go_to(order, plus_one(order.ms), '0')
  else
    return nil
  end
  return order.ms .. '-' .. order.digits
end

-- The position of the next event, nil where none is left.
local function next_position(order)
  local number = order.number
  if not number then
    return far_position(order)
  end
  order.number = number + 1
  return order.ms .. '-' .. number + 1
end

-- Goes on after a position that was given elsewhere, where that is ahead. The last position.
local function go_after(order, position)
  local ms, digits = string.match(position, '^(%d+)-(%d+)$')
  local number = order.number
  local is_before = number and number < tonumber(digits)
    or not number and is_less(order.digits, digits)
  if is_less(order.ms, ms) or (order.ms == ms and is_before) then
    go_to(order, ms, digits)
  end
  return order.ms .. '-' .. (order.number or order.digits)
end

-- Goes on after the end of a log that is ahead of the store's last position: somebody wrote to it by
-- hand, or that position was lost.
local function go_after_log(order, events)
  local info = redis.call('EXISTS', events) == 1 and redis.call('XINFO', 'STREAM', events) or {}
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      go_after(order, info[i + 1])
    end
  end
end

-- The same, without looking at a log that can't be ahead. XINFO has the first and the last event with
-- their bodies: of two logs with a megabyte in each it took 6 to 16 ms, of a hundred half a second.
local function go_after_log_ahead(order, events)
  local next_one = order.number and order.ms .. '-' .. order.number + 1
    or '(' .. order.ms .. '-' .. order.digits
  if order.is_lost or redis.call('XLEN', events) == 0
    or redis.call('XREVRANGE', events, '+', next_one, 'COUNT', 1)[1] then
    go_after_log(order, events)
  end
end

-- Whether fewer positions may be left than a call needs.
local function is_nearly_over(order)
  return order.ms == LARGEST and not order.number
    and string.sub(order.digits, 1, 17) == string.sub(LARGEST, 1, 17)
end

-- Appends an event whose position its log refused, at the one after the log's end. The position; an
-- error where none is left.
local function append_again(order, events, ...)
  pcall(go_after_log, order, events)
  local position = next_position(order)
  return position and redis.pcall('XADD', events, position, ...) or redis.error_reply('NOPOSITION')
end
