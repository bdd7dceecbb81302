// Command hpack-oracle encodes and decodes field blocks with golang.org/x/net/http2/hpack, the implementation that
// Go's own HTTP/2 uses. It reads one connection per line on its input, as JSON, and answers each with one line.
// Strings are sequences of octets, one code point each (latin1).
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/net/http2/hpack"
)

type field [2]string

// block is one field block: fields to encode, or octets to decode. TableBytes, where it is set, changes the size of the
// encoder's table before the block.
type block struct {
	Fields     []field `json:"fields,omitempty"`
	Hex        string  `json:"hex,omitempty"`
	TableBytes *uint32 `json:"tableBytes,omitempty"`
	Error      string  `json:"error,omitempty"`
}

type connection struct {
	// Do is "encode" or "decode".
	Do     string  `json:"do"`
	Blocks []block `json:"blocks"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var c connection
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			fail(err)
		}
		if c.Do == "encode" {
			encode(c.Blocks)
		} else {
			decode(c.Blocks)
		}
		if err := out.Encode(c); err != nil {
			fail(err)
		}
	}
	if err := in.Err(); err != nil {
		fail(err)
	}
}

func encode(blocks []block) {
	var octets bytes.Buffer
	encoder := hpack.NewEncoder(&octets)
	for i := range blocks {
		octets.Reset()
		if size := blocks[i].TableBytes; size != nil {
			encoder.SetMaxDynamicTableSize(*size)
		}
		for _, f := range blocks[i].Fields {
			h := hpack.HeaderField{Name: toOctets(f[0]), Value: toOctets(f[1]), Sensitive: f[0] == "authorization"}
			if err := encoder.WriteField(h); err != nil {
				fail(err)
			}
		}
		blocks[i].Hex = hex.EncodeToString(octets.Bytes())
	}
}

// decode stops at the first fault: nothing after it has a meaning.
func decode(blocks []block) {
	decoder := hpack.NewDecoder(4096, nil)
	for i := range blocks {
		octets, err := hex.DecodeString(blocks[i].Hex)
		if err != nil {
			fail(err)
		}
		fields, err := decoder.DecodeFull(octets)
		if err != nil {
			blocks[i].Error = err.Error()
			return
		}
		for _, f := range fields {
			blocks[i].Fields = append(blocks[i].Fields, field{toText(f.Name), toText(f.Value)})
		}
	}
}

func toOctets(text string) string {
	octets := make([]byte, 0, len(text))
	for _, point := range text {
		octets = append(octets, byte(point))
	}
	return string(octets)
}

func toText(octets string) string {
	points := make([]rune, 0, len(octets))
	for i := 0; i < len(octets); i++ {
		points = append(points, rune(octets[i]))
	}
	return string(points)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
