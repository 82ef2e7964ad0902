-- What scripts know of a payload: it begins with its stamp, `version|operation id|revision|`, and right behind that is
-- one character that says what state the record is in. All else is for src/records/payload.ts.

local function is_tombstone(payload)
  return string.find(payload, '^[^|]*|[^|]*|[^|]*|x') ~= nil
end
