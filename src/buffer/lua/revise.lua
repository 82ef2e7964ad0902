-- Replaces a record, pending or stored, by another payload; the caller has seen what it replaces.
--
-- KEYS  1 meta   2 the record's list   3 the application's counter
--       4 the parent's counter   5 its pending records   6 its revisions   7 its dead letters
--       8 dead letters of the partition   9 their reasons
--       for a message also: 10 the application's pending chats   11 its revisions
--       to delete a chat also: 10 the chat's counter   11 its pending messages   12 their revisions   13 its dead letters
-- ARGV  1 the record's number   2 stamp of what it replaces, empty for what MySQL has   3 version seen with it
--       4 payload   5 reference, without a mark   6 length at which a flusher is woken   7 wake-up channel
--       8 most bytes   9 the chat's number, or "delete-chat", or empty   10 seconds a deleted chat is remembered
-- Reply {"revised"} | {"changed"} what was seen is no longer so | {"gone"} what it belongs to is deleted | {"full"}
--
-- A pending record is replaced in its place: an ack in flight sees by the stamp that it changed. A stored one
-- gets a revision, listed once, that a flush writes over the row. A dead letter is replaced and tried again. A
-- deleted pending record stays in its place as a tombstone, and is listed among the revisions for those who
-- read pages.

local tombstone = '^[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|x$'
local meta, list, counter, pending, revisions, dead = KEYS[1], KEYS[2], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local number, stamp, version, payload, subject = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[9]

if redis.call('HEXISTS', KEYS[3], 'deleted') == 1 or redis.call('HEXISTS', counter, 'deleted') == 1 then
  return { 'gone' }
end
if subject ~= '' and subject ~= 'delete-chat' then
  local chat = redis.call('HGET', KEYS[11], subject) or redis.call('HGET', KEYS[10], subject)
  if chat and string.find(chat, tombstone) then return { 'gone' } end
end

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
local is_deletion = string.find(payload, tombstone) ~= nil
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
  if length % tonumber(ARGV[6]) == 0 then redis.call('PUBLISH', ARGV[7], 'threshold') end
end

redis.call('PERSIST', counter)
if not current then
  put(revisions, payload)
  enlist(':r')
else
  put(home, payload)
  if home == pending and is_deletion then put(revisions, payload) end
  if home == dead then
    for _, mark in ipairs({ ':d', ':dr' }) do
      if redis.call('ZREM', KEYS[8], ARGV[5] .. mark) == 1 then
        redis.call('HDEL', KEYS[9], ARGV[5] .. mark)
        enlist(mark)
      end
    end
  end
end

if subject == 'delete-chat' then
  redis.call('HINCRBY', meta, 'bytes', 0 - tonumber(redis.call('HGET', KEYS[10], 'bytes') or '0'))
  redis.call('DEL', KEYS[10])
  redis.call('UNLINK', KEYS[11], KEYS[12], KEYS[13])
  redis.call('HSET', KEYS[10], 'deleted', 1)
  redis.call('EXPIRE', KEYS[10], ARGV[10])
end
return { 'revised' }
