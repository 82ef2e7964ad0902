-- Finds one record in the buffer, unless what it belongs to is deleted.
--
-- KEYS  1 the application's counter   2 the parent's counter   3 its pending records   4 its revisions   5 its dead letters
--       for a message also: 6 the application's pending chats   7 its revisions
-- ARGV  1 the record's number   for a message also: 2 the chat's number
-- Reply {"gone"} | {"pending" or "revision" or "dead", version, payload} | {"absent", version}
--
-- "revision": the record is in MySQL, and this is to replace it. The version changes whenever a revision of
-- the parent's records has been written: a change made on what MySQL said before that must look again.

if redis.call('HEXISTS', KEYS[1], 'deleted') == 1 then return { 'gone' } end
if ARGV[2] then
  local chat = redis.call('HGET', KEYS[7], ARGV[2]) or redis.call('HGET', KEYS[6], ARGV[2])
  if chat and string.find(chat, '^[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|x$') then return { 'gone' } end
end

local version = redis.call('HGET', KEYS[2], 'revisions') or ''
for at, kind in ipairs({ 'pending', 'revision', 'dead' }) do
  local payload = redis.call('HGET', KEYS[2 + at], ARGV[1])
  if payload then return { kind, version, payload } end
end
return { 'absent', version }
