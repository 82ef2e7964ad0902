-- Finds one record in the buffer, unless what it belongs to is deleted.
--
-- KEYS  1 the application's counter   2 the parent's counter, the same for a chat
--       3 the parent's pending records   4 its revisions   5 its dead letters
-- ARGV  1 the record's number
-- Reply {"gone"} | {"pending" or "revision" or "dead", version, payload} | {"absent", version}
--
-- "revision": the record is in MySQL, and this is to replace it. The version changes whenever a revision of
-- the parent's records has been written: a change made on what MySQL said before that must look again.

if is_deleted(KEYS[1]) or is_deleted(KEYS[2]) then return { 'gone' } end

local version = redis.call('HGET', KEYS[2], 'revisions') or ''
for at, kind in ipairs({ 'pending', 'revision', 'dead' }) do
  local payload = redis.call('HGET', KEYS[2 + at], ARGV[1])
  if payload then return { kind, version, payload } end
end
return { 'absent', version }
