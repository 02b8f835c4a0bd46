-- SPDX-License-Identifier: GPL-2.0-only
-- A page of docs/ as a man page: tables become lists of terms, links their texts.

local utils = require 'pandoc.utils'

-- The first column has the terms. More than one after it each have their heading before them.
function Table(table)
  local simple = utils.to_simple_table(table)
  local items = {}
  for _, row in ipairs(simple.rows) do
    local told = {}
    for column = 2, #row do
      local text = utils.blocks_to_inlines(row[column])
      if #row > 2 then
        local heading = utils.stringify(simple.headers[column])
        text = pandoc.List({ pandoc.Str(heading .. ':'), pandoc.Space() }) .. text
      end
      told[#told + 1] = pandoc.Para(text)
    end
    items[#items + 1] = { utils.blocks_to_inlines(row[1]), { told } }
  end
  return pandoc.DefinitionList(items)
end

function Link(link)
  return link.content
end

function Image()
  return {}
end

-- The names of sections are in capitals, unless they are code.
function Header(header)
  header.level = header.level - 1
  if header.level == 1 and header.content[1].t ~= 'Code' then
    header.content = pandoc.walk_inline(pandoc.Span(header.content), {
      Str = function(str) return pandoc.Str(str.text:upper()) end,
    }).content
  end
  return header
end
