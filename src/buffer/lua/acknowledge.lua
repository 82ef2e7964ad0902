-- Removes from the buffer what a committed flush wrote, if the flusher still holds the lease.
--
-- KEYS  1 lease   2 meta   3 the list   4 flushed totals   5 dead letters   6 their reasons   7 conflicts
--       then for each parent: its counter, its pending records, its revisions, its dead letters
-- ARGV  1 the lease's value   2 references taken   3 the first of them   4 the last   5 seconds an idle counter stays
--       6 time now   7 totals to add: how many, then field, increment of each
--       then for each parent: its reference prefix, how many records, then of each
--       number, mark of its reference, stamp, and why it died, empty if it was written
-- Reply {"acknowledged", records that changed since they were read} | {"lease-lost"} | {"moved"}
--
-- "moved": the list does not begin with what was read, so this batch was acknowledged before, or read while
-- another left the list. Both ends are compared: to trim by count alone could drop references unread.
--
-- A record whose payload no longer begins with its stamp was changed after it was read, and is listed again:
-- as a revision of the row that is now in MySQL, or, if MySQL refused what was read, to be tried anew. A record
-- that died stays readable among its parent's dead letters; one whose number another record holds does not.

local meta, list, dead_letters, reasons = KEYS[2], KEYS[3], KEYS[5], KEYS[6]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return { 'lease-lost' } end
local taken = tonumber(ARGV[2])
if redis.call('LINDEX', list, 0) ~= ARGV[3] or redis.call('LINDEX', list, taken - 1) ~= ARGV[4] then
  return { 'moved' }
end

local at = 7
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end

for _ = 1, tonumber(take()) do
  local field = take()
  redis.call('HINCRBY', KEYS[4], field, take())
end

local changed, freed_of_all = 0, 0
for key = 8, #KEYS, 4 do
  local counter, pending, revisions, dead = KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3]
  local homes = { [''] = pending, [':r'] = revisions, [':d'] = dead, [':dr'] = dead }
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
  local function keep(number, mark, payload, is_unchanged, reason)
    local dead_mark = (mark == '' or mark == ':d') and ':d' or ':dr'
    local reference = prefix .. number .. dead_mark
    if reason == '' then
      if mark == ':r' or mark == ':dr' then return mark end
      remove(dead, number)
      put(revisions, number, payload)
      return ':r'
    end
    remove(revisions, number)
    if not is_unchanged then
      put(dead, number, payload)
      return dead_mark
    end
    if string.find(reason, '^conflict') then
      reference = reference .. ':' .. string.match(payload, '^[^|]*|([^|]*)|')
      redis.call('HSET', KEYS[7], reference, payload)
    else
      put(dead, number, payload)
    end
    redis.call('ZADD', dead_letters, ARGV[6], reference)
    redis.call('HSET', reasons, reference, reason)
  end

  for _ = 1, tonumber(take()) do
    local number, mark, stamp, reason = take(), take(), take(), take()
    local home = homes[mark]
    local payload = redis.call('HGET', home, number)
    if payload then
      local is_unchanged = string.sub(payload, 1, #stamp) == stamp
      local is_done = is_unchanged and reason == ''
      if is_unchanged or mark == '' then remove(home, number) end
      if is_unchanged and mark == '' then remove(revisions, number) end
      if mark == '' then written = math.max(written, tonumber(number)) end
      if not is_done then
        local listed_as = keep(number, mark, payload, is_unchanged, reason)
        if listed_as then
          changed = changed + 1
          redis.call('RPUSH', list, prefix .. number .. listed_as)
        end
      end
    end
    if mark ~= '' then revised = revised + 1 end
  end

  if written > 0 then redis.call('HSET', counter, 'written', string.format('%.0f', written)) end
  if revised > 0 then redis.call('HINCRBY', counter, 'revisions', revised) end
  if redis.call('HEXISTS', counter, 'deleted') == 0 then
    redis.call('HINCRBY', counter, 'bytes', 0 - freed)
    if redis.call('EXISTS', pending, revisions, dead) == 0 then redis.call('EXPIRE', counter, ARGV[5]) end
  end
  freed_of_all = freed_of_all + freed
end

redis.call('LTRIM', list, taken, -1)
redis.call('HINCRBY', meta, 'bytes', 0 - freed_of_all)
return { 'acknowledged', changed }
