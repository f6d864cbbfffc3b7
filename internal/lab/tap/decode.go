package tap

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// decodeJSON decodes JSON and keeps numbers as they were written.
func decodeJSON(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var out map[string]any
	err := d.Decode(&out)
	return out, err
}

func decodeCBOR(body []byte) (map[string]any, error) {
	if len(body) == 0 {
		return nil, nil
	}
	v, err := cbor.Decode(body)
	if err != nil {
		return nil, err
	}
	m, ok := plain(v).(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a CBOR %T instead of a map", v)
	}
	return m, nil
}

// plain returns the value as encoding/json would have decoded it.
func plain(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	case cbor.List:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case *cbor.Tag: // AWS protocols use only tag 1, a time in epoch seconds
		return plain(v.Value)
	case cbor.String:
		return string(v)
	case cbor.Bool:
		return bool(v)
	case cbor.Slice:
		return base64.StdEncoding.EncodeToString(v)
	case cbor.Float32:
		return number(float64(v))
	case cbor.Float64:
		return number(float64(v))
	case cbor.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10))
	case cbor.NegInt:
		return json.Number("-" + strconv.FormatUint(uint64(v), 10))
	}
	return nil
}

// number returns a JSON number, or nil for values that JSON cannot express: NaN
// and the infinities.
func number(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
}

// queryTree reverses the query protocols' flattening: "A.1.B=c" becomes A, an
// array whose first element has a member B.
func queryTree(form url.Values) map[string]any {
	root := map[string]any{}
	for name, values := range form {
		if name == "Action" || name == "Version" || strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		node, path := root, strings.Split(name, ".")
		for _, step := range path[:len(path)-1] {
			next, ok := node[step].(map[string]any)
			if !ok {
				next = map[string]any{}
				node[step] = next
			}
			node = next
		}
		node[path[len(path)-1]] = values[0]
	}
	for k, v := range root {
		root[k] = arrays(v)
	}
	return root
}

// arrays turns maps with the keys 1, 2, … into arrays.
func arrays(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	var at []int
	for k, e := range m {
		m[k] = arrays(e)
		if i, err := strconv.Atoi(k); err == nil {
			at = append(at, i)
		}
	}
	if len(at) < len(m) || len(m) == 0 {
		return m
	}
	sort.Ints(at)
	out := make([]any, len(at))
	for i, n := range at {
		out[i] = m[strconv.Itoa(n)]
	}
	return out
}
