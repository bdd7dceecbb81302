-- Asks Portcullis about a request, for HAProxy 2.6 or later built with Lua. The guide is docs/guides/forward-auth.md.
--
--   lua-load /etc/haproxy/portcullis.lua
--   http-request lua.portcullis http://127.0.0.1:9194/
--
-- The argument is the URL of the HTTP front; with /policy/NAME it chooses the policy. Whatever goes wrong here ends the
-- request with 503.

local TIMEOUT_MS = 5000

-- Of the connection to the client, and what httpclient writes itself.
local HOP = {
  ["host"] = true, ["connection"] = true, ["keep-alive"] = true, ["proxy-connection"] = true,
  ["transfer-encoding"] = true, ["content-length"] = true, ["te"] = true, ["trailer"] = true,
  ["upgrade"] = true, ["expect"] = true, ["accept-encoding"] = true,
}
-- Of the connection to Portcullis; what a denial has beside them is for the client.
local NOT_FOR_CLIENT = {
  ["connection"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true, ["content-length"] = true, ["date"] = true,
}

local function question_headers(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    -- `_` and `.` are `-` to some: what the client says of the question goes in no spelling.
    local plain = name:lower():gsub("[_.]", "-")
    if not HOP[name] and plain:sub(1, 11) ~= "x-original-" then
      local list = {}
      for index = 0, #values do list[#list + 1] = values[index] end
      headers[name] = list
    end
  end
  headers["x-original-method"] = { txn.f:method() }
  headers["x-original-host"] = { txn.sf:req_fhdr("host") }
  -- As the client sent it: pathq is not normalized.
  headers["x-original-uri"] = { txn.f:pathq() }
  return headers
end

local function each_name(list, act)
  for name in (list or ""):gmatch("[^,%s]+") do act(name) end
end

local function first(headers, name)
  local values = headers[name]
  return values and values[0]
end

local function deny(txn, status, headers, body)
  local reply = txn:reply()
  reply:set_status(status)
  for name, values in pairs(headers) do
    if not NOT_FOR_CLIENT[name] then
      for index = 0, #values do reply:add_header(name, values[index]) end
    end
  end
  if body and body ~= "" then reply:set_body(body) end
  txn:done(reply)
end

local function allow(txn, headers)
  each_name(first(headers, "x-portcullis-remove"), function(name) txn.http:req_del_header(name) end)
  each_name(first(headers, "x-portcullis-set"), function(name)
    local value = first(headers, name)
    -- A name that is promised and not there must not leave the client's.
    if value == nil then txn.http:req_del_header(name) else txn.http:req_set_header(name, value) end
  end)
  local target = first(headers, "x-portcullis-target")
  if target then txn.http:req_set_uri(target) end
  -- For `http-after-response set-header dpop-nonce`, near the end of a nonce.
  local nonce = first(headers, "dpop-nonce")
  if nonce then txn:set_var("txn.portcullis_nonce", nonce) end
end

local function ask(txn, url)
  local answer = core.httpclient():get({ url = url, headers = question_headers(txn), timeout = TIMEOUT_MS })
  if answer == nil or answer.status == nil or answer.status == 0 then
    deny(txn, 503, { ["cache-control"] = { [0] = "no-store" }, ["retry-after"] = { [0] = "1" } })
  elseif answer.status == 200 then
    allow(txn, answer.headers)
  else
    deny(txn, answer.status, answer.headers, answer.body)
  end
end

core.register_action("portcullis", { "http-req" }, ask, 1)
