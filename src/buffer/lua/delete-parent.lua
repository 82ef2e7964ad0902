-- Marks an application or a chat deleted that MySQL has no row of, so that nothing beneath it is accepted, read or
-- flushed any more.
--
-- KEYS  1 meta   2 its counter   3 its pending children   4 their revisions   5 its dead letters
--       of a chat: 6 its application's pending chats   7 their revisions   8 its dead letters
-- ARGV  1 seconds the mark stays; 0 for ever   2 of a chat: its number
-- Reply 1, or 0 for a chat that is there, as Redis was put back to an older copy: nothing is done then
--
-- The pending messages of an application lie under its chats; a flush drops them when it comes to them.

if ARGV[2] then
  if redis.call('HEXISTS', KEYS[6], ARGV[2]) == 1 or redis.call('HEXISTS', KEYS[8], ARGV[2]) == 1 then return 0 end
  -- Its tombstone still waits for its ack, and the mark with it. Any other change is one of an older copy.
  local revision = redis.call('HGET', KEYS[7], ARGV[2])
  if revision and is_tombstone(revision) and is_deleted(KEYS[2]) then return 1 end
end
delete_parent(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
if ARGV[1] ~= '0' then redis.call('EXPIRE', KEYS[2], ARGV[1]) end
return 1
