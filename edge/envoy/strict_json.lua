-- Refuses a JSON body with a field that the contract does not have, or one that is no JSON.
--
-- The transcoder drops unknown fields without a word, so a client that misspells `checkIn` would
-- be told that check-in is missing, or worse, get what it did not ask for. This filter walks the
-- body once, beside the table `messages` that is generated from the contracts and put before it:
--   messages[message][field] = name of the field's message, or true for anything without fields.
-- It builds nothing; types and values are left to the transcoder and to validation.

local find, byte, sub = string.find, string.byte, string.sub
local MAX_DEPTH = 32
local fault -- {reason, text, field} of the walk in progress

local function fail(reason, text, field)
  fault = { reason = reason, text = text, field = field or "" }
  return nil
end

local function malformed(at)
  return fail("MALFORMED_JSON", "The body is not JSON: unexpected text at byte " .. at .. ".")
end

local function blank(s, i)
  local _, last = find(s, "^[ \t\r\n]*", i)
  return last + 1
end

-- Returns the place after the string that starts at i.
local function text(s, i)
  if byte(s, i) ~= 34 then return malformed(i) end
  local at = i + 1
  while true do
    local stop = find(s, '["\\%c]', at)
    if not stop then return malformed(#s) end
    local c = byte(s, stop)
    if c == 34 then return stop + 1 end
    if c ~= 92 then return malformed(stop) end
    at = stop + 2
  end
end

local value

local function object(s, i, fields, depth, path)
  i = blank(s, i + 1)
  if byte(s, i) == 125 then return i + 1 end
  while true do
    local last = text(s, i)
    if not last then return nil end
    local name = sub(s, i + 1, last - 2)
    local below = true
    if fields then
      below = fields[name]
      local where = path == "" and name or path .. "." .. name
      if not below then
        return fail("UNKNOWN_FIELD", "There is no such field.", sub(where, 1, 200))
      end
      path = below ~= true and where or path
    end
    i = blank(s, last)
    if byte(s, i) ~= 58 then return malformed(i) end
    i = value(s, i + 1, below, depth + 1, path)
    if not i then return nil end
    i = blank(s, i)
    local c = byte(s, i)
    if c == 125 then return i + 1 end
    if c ~= 44 then return malformed(i) end
    i = blank(s, i + 1)
  end
end

local function array(s, i, message, depth, path)
  i = blank(s, i + 1)
  if byte(s, i) == 93 then return i + 1 end
  while true do
    i = value(s, i, message, depth + 1, path)
    if not i then return nil end
    i = blank(s, i)
    local c = byte(s, i)
    if c == 93 then return i + 1 end
    if c ~= 44 then return malformed(i) end
    i = i + 1
  end
end

-- Returns the place after the value that starts at i, or nil with `fault` set.
value = function(s, i, message, depth, path)
  if depth > MAX_DEPTH then return fail("JSON_TOO_DEEP", "The body is nested too deeply.") end
  i = blank(s, i)
  local c = byte(s, i)
  if c == 123 then return object(s, i, message ~= true and messages[message] or nil, depth, path) end
  if c == 91 then return array(s, i, message, depth, path) end
  if c == 34 then return text(s, i) end
  local _, last = find(s, "^-?%d[%d.eE+-]*", i)
  if not last then _, last = find(s, "^true", i) end
  if not last then _, last = find(s, "^false", i) end
  if not last then _, last = find(s, "^null", i) end
  if not last then return malformed(i) end
  return last + 1
end

local function walk(s, message)
  local last = value(s, 1, message, 1, "")
  if last and blank(s, last) <= #s then return malformed(last) end
  return last
end

local function quoted(s)
  return (s:gsub('[%c"\\\128-\255]', "?"))
end

local function answer()
  local violation = ""
  if fault.field ~= "" then
    violation = ',{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"'
      .. quoted(fault.field) .. '","description":"' .. fault.text .. '"}]}'
  end
  return '{"code":3,"message":"' .. fault.text
    .. '","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"' .. fault.reason
    .. '","domain":"staymesh","metadata":{}}' .. violation .. "]}\n"
end

function envoy_on_request(handle)
  local message = handle:metadata():get("body")
  if not message then return end
  local body = handle:body()
  if not body or body:length() == 0 then return end
  local s = body:getBytes(0, body:length())
  if walk(s, message) then return end
  -- The edge takes this name off whatever comes in, so only this filter can set it.
  handle:headers():replace("x-edge-fault", fault.reason)
  handle:respond({ [":status"] = "400", ["content-type"] = "application/json" }, answer())
end
