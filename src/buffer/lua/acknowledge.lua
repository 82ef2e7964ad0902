-- Removes from the buffer what a committed flush wrote, if the flusher still holds the lease.
--
-- KEYS  1 lease   2 meta   3 the list   4 flushed totals   5 dead letters   6 their reasons   7 what is set aside
--       8 dirty parents   9 chats with owed documents
--       then the counter of each of these chats
--       then for each parent: its counter, its pending records, its revisions, its dead letters, its owed documents
-- ARGV  1 the lease's value   2 references taken   3 the list's name   4 position of the first of them   5 the epoch
--       under which they were read   6 seconds an idle counter stays
--       7 most documents owed, 0 where chats are written, -1 where no index is kept   8 payload of a deleted record, in place of an unreadable one
--       9 chats whose deletion was written   10 chats whose record has vanished
--       11 epoch, 12 flush sequence that MySQL has committed
--       then totals to add: how many, then field, increment of each
--       then entries of the list that are no references: how many, then of each its id, itself, what is said of it
--       then for each parent: its reference prefix; of new records that were written how many, their numbers, their
--       stamps; how many others, then of each number, mark of its reference, stamp, what became of it ("written",
--       "refused", "conflict", "unreadable"), what names it among those set aside or nothing, and what is said of it
-- Reply {"acknowledged", records that changed since they were read} | {"lease-lost"} | {"moved"}
--
-- "moved": the list does not begin where this batch was read, so the batch was acknowledged before, or read while
-- another left the list. A position is how many references left the list before, since the data began: references
-- themselves recur.
--
-- A record whose payload no longer begins with its stamp was changed after it was read, and is listed again:
-- as a revision of the row that is now in MySQL, or, if MySQL refused what was read, to be tried anew. A record
-- that died stays readable among its parent's dead letters, a change among its revisions. One whose number another
-- record holds is set aside; so is one that nobody can read, whose number is then flushed as that of a deleted record.
--
-- A deleted chat is marked so until MySQL has no row of it, and for a while longer.
--
-- What MySQL has changed makes the parent dirty, and its document owed, both under a sequence that only grows: in
-- milliseconds, so that it does so also after Redis lost its data. Where too much is owed, the partition is marked
-- to be behind instead: its index is then compared with MySQL as a whole.
--
-- New records that were written are nearly all there are: those of a parent are read and removed together.

local meta, list, dead_letters, reasons = KEYS[2], KEYS[3], KEYS[5], KEYS[6]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'lease-lost' } end
local taken, head = tonumber(ARGV[2]), 'head:' .. ARGV[3]
local at_head = redis.call('HMGET', meta, head, 'epoch')
if tonumber(at_head[1] or '0') ~= tonumber(ARGV[4]) or (at_head[2] or '') ~= ARGV[5] then return { 'moved' } end

local at = 13
local now = clock_ms()
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end

-- Lua spreads no more than 8,000 values.
local most_spread = 4000

for _ = 1, tonumber(take()) do
  local field = take()
  redis.call('HINCRBY', KEYS[4], field, take())
end

for _ = 1, tonumber(take()) do
  local id = take()
  redis.call('HSET', KEYS[7], id, take())
  redis.call('ZADD', dead_letters, now, id)
  redis.call('HSET', reasons, id, take())
end

local most_owed = tonumber(ARGV[7])
local marks = redis.call('HMGET', meta, 'touched', 'owed', 'epoch', 'committed')
local sequence = string.format('%.0f', math.max(tonumber(marks[1] or '0') + 1, tonumber(now)))
local owed_of_all, newly_owed = tonumber(marks[2] or '0'), 0

local changed, freed_of_all = 0, 0
local first_parent = 10 + tonumber(ARGV[9]) + tonumber(ARGV[10])
for key = first_parent, #KEYS, 5 do
  local counter, pending, revisions, dead = KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3]
  local owed, stored = KEYS[key + 4], {}
  local homes = { [''] = pending, [':r'] = revisions, [':d'] = dead }
  local prefix, written, revised, freed = take(), 0, 0, 0

  local function remove(hash, number)
    freed = freed + redis.call('HSTRLEN', hash, number)
    redis.call('HDEL', hash, number)
  end

  local function put(hash, number, payload)
    freed = freed + redis.call('HSTRLEN', hash, number) - #payload
    redis.call('HSET', hash, number, payload)
  end

  -- Where a record goes that is not simply done; answers the mark under which it is listed, if it is.
  local function keep(number, mark, payload, is_unchanged, outcome)
    local dead_mark = mark == ':r' and ':r' or ':d'
    local reference = prefix .. number .. dead_mark
    if outcome.kind == 'written' then
      remove(dead, number)
      put(revisions, number, payload)
      return ':r'
    end
    local grave = mark == ':r' and revisions or dead
    if mark ~= ':r' then remove(revisions, number) end
    if not is_unchanged then
      put(grave, number, payload)
      return dead_mark
    end
    if outcome.aside ~= '' then
      reference = reference .. ':' .. outcome.aside
      redis.call('HSET', KEYS[7], reference, payload)
    else
      put(grave, number, payload)
    end
    redis.call('ZADD', dead_letters, now, reference)
    redis.call('HSET', reasons, reference, outcome.reason)
    if outcome.kind == 'unreadable' and dead_mark == ':d' then
      put(dead, number, ARGV[8])
      return dead_mark
    end
  end

  local function relist(number, mark, payload, is_unchanged, outcome)
    local listed_as = keep(number, mark, payload, is_unchanged, outcome)
    if listed_as then
      changed = changed + 1
      redis.call('RPUSH', list, prefix .. number .. listed_as)
    end
  end

  local function store(number)
    stored[#stored + 1] = sequence
    stored[#stored + 1] = number
  end

  local count, has_revisions = tonumber(take()), redis.call('EXISTS', revisions) == 1
  for first = at, at + count - 1, most_spread do
    local last = math.min(first + most_spread, at + count) - 1
    local payloads = redis.call('HMGET', pending, unpack(ARGV, first, last))
    redis.call('HDEL', pending, unpack(ARGV, first, last))
    for nth, payload in ipairs(payloads) do
      local number, stamp = ARGV[first + nth - 1], ARGV[first + nth - 1 + count]
      store(number)
      if payload then
        freed = freed + #payload
        written = math.max(written, tonumber(number))
        if string.sub(payload, 1, #stamp) ~= stamp then
          relist(number, '', payload, false, { kind = 'written' })
        elseif has_revisions then
          remove(revisions, number)
        end
      end
    end
  end
  at = at + 2 * count

  for _ = 1, tonumber(take()) do
    local number, mark, stamp = take(), take(), take()
    local outcome = { kind = take(), aside = take(), reason = take() }
    local is_written = outcome.kind == 'written'
    local home = homes[mark]
    local payload = redis.call('HGET', home, number)
    if payload then
      local is_unchanged = string.sub(payload, 1, #stamp) == stamp
      if is_unchanged or mark == '' then remove(home, number) end
      if is_unchanged and mark == '' then remove(revisions, number) end
      if mark == '' then written = math.max(written, tonumber(number)) end
      if not is_unchanged or not is_written then relist(number, mark, payload, is_unchanged, outcome) end
    end
    if mark ~= '' then revised = revised + 1 end
    if is_written then store(number) end
  end

  if #stored > 0 then
    local parent = string.sub(prefix, 1, -2)
    redis.call('ZADD', KEYS[8], sequence, parent)
    if most_owed > 0 and owed_of_all + newly_owed < most_owed then
      for first = 1, #stored, most_spread do
        local last = math.min(first + most_spread - 1, #stored)
        newly_owed = newly_owed + redis.call('ZADD', owed, unpack(stored, first, last))
      end
      redis.call('ZADD', KEYS[9], 'NX', sequence, parent)
    elseif most_owed ~= 0 then
      redis.call('HSET', meta, 'behind', sequence)
    end
  end

  if written > 0 then redis.call('HSET', counter, 'written', string.format('%.0f', written)) end
  if revised > 0 then redis.call('HINCRBY', counter, 'revisions', revised) end
  if not is_deleted(counter) then
    redis.call('HINCRBY', counter, 'bytes', 0 - freed)
    let_rest(counter, pending, revisions, dead, ARGV[6])
  end
  freed_of_all = freed_of_all + freed
end

for key = 10, first_parent - 1 do
  -- One that could not be read was deleted by nobody until now.
  if key < 10 + tonumber(ARGV[9]) then redis.call('HSET', KEYS[key], 'deleted', 1) end
  if is_deleted(KEYS[key]) then redis.call('EXPIRE', KEYS[key], ARGV[6]) end
end

redis.call('LTRIM', list, taken, -1)
go_on_waiting(meta, ARGV[3], redis.call('HINCRBY', meta, head, taken), redis.call('LLEN', list))
local committed = marks[3] == ARGV[11] and math.max(tonumber(ARGV[12]), tonumber(marks[4] or '0'))
redis.call('HSET', meta, 'touched', sequence, 'committed', committed and string.format('%.0f', committed) or marks[4] or '0')
redis.call('HINCRBY', meta, 'owed', newly_owed)
redis.call('HINCRBY', meta, 'bytes', 0 - freed_of_all)
return { 'acknowledged', changed }
