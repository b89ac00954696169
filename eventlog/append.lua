-- Appends a batch of commands, each decided on what the one before it left. They may be of several
-- collections. Some of them may be a transaction: all of these are carried out, or none is.
--
-- Begins with the texts of apply.lua and order.lua.
--   KEYS[1]  this writer's last batch: its number, a line feed, its reply
--   KEYS[2]  the store's last position
--   then three for each collection: its log, its current items, its ids
--   ARGV[1]  the number of this batch
--   ARGV[2]  the time after which it is late, by the engine's clock, in milliseconds since 1970
--   ARGV[3]  how long the writer is remembered, in milliseconds
--   ARGV[4]  how long an idempotency key is remembered, in milliseconds
--   ARGV[5]  the number of each command's collection, from 1, with blanks in between; empty: the
--            first for all
--   ARGV[6]  the transactions: the number of its first command, from 1, a colon, how many they are,
--            with blanks in between; empty: there is none
--   then one for each collection: in front of an id, the key of its history
--   then four for each command:
--     the item
--     what is to happen, with blanks in between:
--       the event type if the item does not exist, if it does; empty: there is nothing to do it to;
--         `checked`: nothing is to happen, the item only has to be as expected
--       the expected version: + or - (absent is admitted, is not), then = or ! (one of these
--         versions, none of them), then the versions, a comma before, between and after
--       nothing, or the fingerprint of a request, and the key that remembers its outcome; that of a
--         transaction is with its first command
--     the body, empty on a delete
--     the meta
-- Reply: the engine's time, in milliseconds since 1970; then `late` alone, where the time of the batch
-- is over and it is never carried out; else a line for each command,
--   <event type> <version> <position>     appended
--   checked <version> <position>          as expected; the version that it is at, and its position
--   checked -<version>                    as expected; deleted at this version, -0: never existed
--   refused <version>                     not appended; the item exists, at this version
--   refused -<version>                    not appended; deleted at this version, -0: never existed
--   known                                 not appended; the idempotency key has an outcome
--   broken                                not appended; its row or its history can't be read
--   failed <error>                        not appended; what the engine says of a key of its collection,
--                                         or which right is missing
--   aborted                               not appended; another command of its transaction was not
--   ended                                 not appended; the transaction may need more positions than
--                                         there are left
--
-- The outcome that an idempotency key remembers is the fingerprint of the request, a blank and its
-- line; that of a transaction the fingerprint, and for each command a line feed, its line, a blank,
-- and the key of its log, or the item of a check.
--
-- A batch that this writer sent before gets the reply it had, also where that was `late` or nothing
-- but refusals, and an older one is refused. So a copy of it that comes later changes nothing.

local HISTORIES, EACH = 7, 4

local function admits(expected, exists, version)
  if expected == '+!,' then  -- any
    return true
  elseif not exists then
    return string.sub(expected, 1, 1) == '+'
  end
  local listed = string.find(expected, ',' .. version .. ',', 3, true) ~= nil
  return listed == (string.sub(expected, 2, 2) == '=')
end

local time = redis.call('TIME')
local milliseconds = time[1] * 1000 + math.floor(time[2] / 1000)
local now = string.format('%.0f', milliseconds)

-- A write in any case, so that a WAIT after it has something to wait for. Where nothing was appended
-- it may be the first of this call, and fail: then the answer of an engine without memory is still
-- true, that of a replica need not be.
local function remember_batch(lines)
  local set = redis.pcall('SET', KEYS[1], ARGV[1] .. '\n' .. lines, 'PX', ARGV[3])
  if type(set) == 'table' and set.err and not string.find(set.err, 'OOM', 1, true) then
    return set
  end
  return now .. '\n' .. lines
end

local remembered = redis.call('GET', KEYS[1])
if remembered then
  local number = string.match(remembered, '^%d+')
  if number == ARGV[1] then
    return remember_batch(string.sub(remembered, #number + 2))
  elseif tonumber(number) > tonumber(ARGV[1]) then
    return redis.error_reply('STALEBATCH')
  end
end

-- Where the clock was put back since it was shown to the writer, a copy could be carried out for
-- longer than the batch is remembered: it is late as well, and the writer sees the time by that.
local left = tonumber(ARGV[2]) - milliseconds
if left < 0 or left > tonumber(ARGV[3]) then
  return remember_batch('late')
end

local collections, first = {}, HISTORIES
for i = 3, #KEYS, 3 do
  collections[#collections + 1] = collection_of(KEYS[i], KEYS[i + 1], KEYS[i + 2], ARGV[first])
  first = first + 1
end

-- A command of the batch: what kind of thing is to happen is mostly the same as in the one before.
local wish, if_absent, if_present, expected, fingerprint, key
local function read_wish(text)
  if text ~= wish then
    wish = text
    if_absent, if_present, expected, fingerprint, key =
      string.match(text, '^(%S*) (%S*) (%S*) ?(%x*) ?(.*)$')
  end
end

-- A failing script keeps what it wrote, so all that can fail comes before the first write: these
-- raise WRONGTYPE where a key holds something else, and so does what reads the rows.
local order = begin_order(KEYS[2], now)
if order.err then
  return order
end
local items, is_known = {}, {}
for i = first, #ARGV, EACH do
  items[#items + 1] = ARGV[i]
  read_wish(ARGV[i + 1])
  if key ~= '' then
    is_known[key] = redis.call('EXISTS', key) == 1
  end
end

-- By the number of a command: the item's row before this call; and the item's collection, where
-- there are several.
local sound, of, only = {}, {}, collections[1]
only.items = items
if collections[2] then
  for _, collection in ipairs(collections) do
    collection.items, collection.numbers = {}, {}
  end
  for number in string.gmatch(ARGV[5], '%d+') do
    local n, collection = #of + 1, collections[tonumber(number)]
    of[n] = collection
    table.insert(collection.items, items[n])
    table.insert(collection.numbers, n)
  end
end

-- What sound_rows gives of a collection's items. Raises where it can't be written to.
local function checked_rows(collection)
  redis.call('XLEN', collection.events)
  redis.call('ZCARD', collection.ids)
  local rows = sound_rows(collection, collection.items)
  local refusal = refusal_of(collection, collection.items[1])
  if refusal then
    error(refusal)
  end
  return rows
end

local refusal = refusal_to_set(KEYS[1], KEYS[2], (next(is_known)))
if refusal then
  return refusal
end
for _, collection in ipairs(collections) do
  local is_sound, rows = pcall(checked_rows, collection)
  if not is_sound then  -- it stops no other, nor what waits behind this call
    local message = type(rows) == 'table' and rows.err or tostring(rows)
    collection.failure = string.gsub(message, '[\r\n]', ' ')
  elseif not collection.numbers then
    sound = rows
  else
    for i, n in ipairs(collection.numbers) do
      sound[n] = rows[i]
    end
  end
end

-- The type of event that a command becomes where its item is at a version, `checked` where it was to
-- become none; or nil, and the line that says why not. The command is the one that was read last.
local function decide(collection, version, exists)
  if collection.failure then
    return nil, 'failed ' .. collection.failure
  elseif is_known[key] then
    return nil, 'known'
  elseif not version then
    return nil, 'broken'
  end
  local event_type = exists and if_present or if_absent
  if event_type ~= '' and admits(expected, exists, version) then
    return event_type
  end
  return nil, 'refused ' .. (exists and '' or '-') .. version
end

-- The lines of the reply; and of a transaction the number of its last command by that of its first,
-- and the other way round.
local lines, last_of, first_of = {}, {}, {}
local admit_transaction, remember_transaction

if ARGV[6] ~= '' then
  for from, length in string.gmatch(ARGV[6], '(%d+):(%d+)') do
    local to = from + length - 1
    last_of[tonumber(from)], first_of[to] = to, tonumber(from)
  end

  -- So that no log refuses a position in the middle of a transaction.
  for _, collection in ipairs(collections) do
    if not collection.failure then
      go_after_log_ahead(order, collection.events)
    end
  end

  -- Decides the commands of a transaction, each on what the ones before it would leave. Where one is
  -- refused it writes the lines of all of them, and then none is carried out.
  function admit_transaction(from, to)
    local refused, refusal, left = nil, nil, {}
    for n = from, to do
      local item, collection = items[n], of[n] or only
      left[collection] = left[collection] or {}
      local state = left[collection][item]
      if not state then
        local version, exists = read_row(collection.rows[item] or sound[n])
        state = { version = version, exists = exists }
        left[collection][item] = state
      end
      read_wish(ARGV[first + EACH * (n - 1) + 1])
      local event_type, line = decide(collection, state.version, state.exists)
      if not event_type then
        refused, refusal = n, line
        break
      elseif event_type ~= 'checked' then
        state.version, state.exists = state.version + 1, event_type ~= 'ItemDeleted'
      end
    end
    if refused or is_nearly_over(order) then
      for n = from, to do
        lines[n] = not refused and 'ended' or n == refused and refusal or 'aborted'
      end
    end
  end

  -- What the idempotency key of a transaction that was carried out remembers, where it has one.
  function remember_transaction(from, to)
    read_wish(ARGV[first + EACH * (from - 1) + 1])
    if key == '' then
      return
    end
    local outcome = { fingerprint }
    for n = from, to do
      local is_check = string.sub(lines[n], 1, 8) == 'checked '
      outcome[#outcome + 1] = lines[n] .. ' ' .. (is_check and items[n] or (of[n] or only).events)
    end
    redis.call('SET', key, table.concat(outcome, '\n'), 'PX', ARGV[4])
    is_known[key] = true
  end
end

local failure
for n, item in ipairs(items) do
  local i, collection = first + EACH * (n - 1), of[n] or only
  if last_of[n] then
    admit_transaction(n, last_of[n])
  end
  if not lines[n] then
    read_wish(ARGV[i + 1])
    local row = collection.rows[item] or sound[n]
    local version, exists, created = read_row(row)
    local event_type, line = decide(collection, version, exists)
    if event_type == 'checked' then
      line = 'checked ' .. (exists and version .. ' ' .. position_of(row) or '-' .. version)
    elseif event_type then
      local data, meta = ARGV[i + 2], ARGV[i + 3]
      version = string.format('%d', version + 1)
      local position = next_position(order)
      position = position and redis.pcall('XADD', collection.events, position,
        'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
      if type(position) ~= 'string' then
        position = append_again(order, collection.events,
          'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
      end
      if type(position) ~= 'string' then
        failure = position
        break
      end
      order.given = position
      apply(collection, event_type, item, version, position, created, data)
      line = event_type .. ' ' .. version .. ' ' .. position
      if key ~= '' and not last_of[n] then  -- a refusal is not remembered, as it changed nothing
        redis.call('SET', key, fingerprint .. ' ' .. line, 'PX', ARGV[4])
        is_known[key] = true
      end
    end
    lines[n] = line
    if first_of[n] then
      remember_transaction(first_of[n], n)
    end
  end
end

for _, collection in ipairs(collections) do  -- what came before a failure is kept whole
  write_items(collection)
end
if order.given then
  redis.call('SET', KEYS[2], order.given)
end

return failure or remember_batch(table.concat(lines, '\n'))
