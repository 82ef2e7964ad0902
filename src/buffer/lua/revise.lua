-- Replaces a record, pending or stored, by another payload; the caller has seen what it replaces.
--
-- KEYS  1 meta   2 the record's list   3 the application's counter
--       4 the parent's counter   5 its pending records   6 its revisions   7 its dead letters
--       8 dead letters of the partition   9 their reasons
--       to delete a chat also: 10 the chat's counter   11 its pending messages   12 their revisions   13 its dead letters
-- ARGV  1 the record's number   2 stamp of what it replaces, empty for what MySQL has   3 version seen with it
--       4 payload   5 reference, without a mark   6 length at which a flusher is woken   7 wake-up channel
--       8 most bytes
-- Reply {"revised"} | {"changed"} what was seen is no longer so | {"gone"} what it belongs to is deleted | {"full"}
--
-- A pending record is replaced in its place: an ack in flight sees by the stamp that it changed. A stored one
-- gets a revision, listed once, that a flush writes over the row. A dead letter is replaced and tried again, be
-- it a record or a change. A deleted pending record stays in its place as a tombstone, and is listed among the
-- revisions for those who read pages.

local meta, list, counter, pending, revisions, dead = KEYS[1], KEYS[2], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local number, stamp, version, payload = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if is_deleted(KEYS[3]) or is_deleted(counter) then return { 'gone' } end

local current, home
for _, hash in ipairs({ pending, revisions, dead }) do
  current, home = redis.call('HGET', hash, number), hash
  if current then break end
end
if stamp == '' then
  if current or (redis.call('HGET', counter, 'revisions') or '') ~= version then return { 'changed' } end
elseif not current or string.sub(current, 1, #stamp) ~= stamp then
  return { 'changed' }
end

local grows = #payload - (current and #current or 0)
local is_deletion = is_tombstone(payload)
if not is_deletion and tonumber(redis.call('HGET', meta, 'bytes') or '0') + grows > tonumber(ARGV[8]) then
  return { 'full' }
end

local function put(hash, value)
  local growth = #value - redis.call('HSTRLEN', hash, number)
  redis.call('HSET', hash, number, value)
  redis.call('HINCRBY', meta, 'bytes', growth)
  redis.call('HINCRBY', counter, 'bytes', growth)
end

local function enlist(mark)
  local length = redis.call('RPUSH', list, ARGV[5] .. mark)
  if length == 1 then begin_waiting(meta, string.match(list, '%a+$')) end
  if length % tonumber(ARGV[6]) == 0 then redis.call('PUBLISH', ARGV[7], 'threshold') end
end

if not current then
  put(revisions, payload)
  enlist(':r')
else
  put(home, payload)
  if home == pending and is_deletion then put(revisions, payload) end
  local mark = home == dead and ':d' or home == revisions and ':r'
  if mark and redis.call('ZREM', KEYS[8], ARGV[5] .. mark) == 1 then
    redis.call('HDEL', KEYS[9], ARGV[5] .. mark)
    enlist(mark)
  end
end

redis.call('PERSIST', counter)
if KEYS[10] then delete_parent(meta, KEYS[10], KEYS[11], KEYS[12], KEYS[13]) end
return { 'revised' }
