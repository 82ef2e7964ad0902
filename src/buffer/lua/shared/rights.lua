-- What Redis says of a right that its user lacks.

-- Of a command it says the first; of one within a script Redis 7.0 says the second, 7.2 and Valkey the third.
local function is_of_rights(message)
  for _, words in ipairs({ 'NOPERM', 'executing the script', 'ACL failure' }) do
    if string.find(message, words) then return true end
  end
  return false
end
