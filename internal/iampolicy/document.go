// Package iampolicy reads, compares and writes IAM policy documents: trust
// policies, permissions, permissions boundaries, and the policies of topics
// and keys. It does not evaluate them: each planner asks what it needs to know.
//
// No library fits: hashicorp/awspolicyequivalence only compares, and takes two
// statements of different Sids for different; liamg/iamgo and
// micahhausler/aws-iam-policy match nothing, and lose or refuse members that
// they do not know, which other people's policies have to keep.
//
// Source: IAM User Guide, "Grammar of the IAM JSON policy language".
package iampolicy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Effects of a statement.
const (
	Allow = "Allow"
	Deny  = "Deny"
)

// A Document is a policy document. Whatever else it said when it was read is
// kept, and written again.
type Document struct {
	Version    string // "" for the current one
	Statements []Statement

	others map[string]json.RawMessage
}

// A Statement is one statement of a document. It is written as it was read.
type Statement struct {
	Sid          string
	Effect       string
	Action       Values
	NotAction    Values
	Resource     Values
	NotResource  Values
	Principal    *Principal
	NotPrincipal *Principal
	Condition    map[string]map[string]Values // operator to key to values

	raw json.RawMessage
}

// A Principal is "*", which AWS takes for {"AWS": "*"}, or an object of lists.
type Principal struct{ AWS, Service Values }

// Values are what the grammar allows as one value or as a list of them. A
// condition's value may be a boolean or a number.
type Values []string

// Parse reads a document. An empty text is a document without statements.
func Parse(text string) (Document, error) {
	if text == "" {
		return Document{}, nil
	}
	var d Document
	if err := json.Unmarshal([]byte(text), &d.others); err != nil {
		return Document{}, err
	}
	var known struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &known); err != nil {
		return Document{}, err
	}
	maps.DeleteFunc(d.others, func(name string, _ json.RawMessage) bool {
		return strings.EqualFold(name, "Version") || strings.EqualFold(name, "Statement")
	})
	d.Version = known.Version
	list := known.Statement
	switch {
	case len(list) == 0:
		return Document{}, errors.New("it has no Statement")
	case list[0] == '{':
		list = slices.Concat(json.RawMessage("["), list, json.RawMessage("]"))
	}
	if err := json.Unmarshal(list, &d.Statements); err != nil {
		return Document{}, err
	}
	return d, nil
}

// New returns a document of the current version.
func New(statements ...Statement) Document { return Document{Statements: statements} }

// String returns the document as JSON.
func (d Document) String() string {
	out := map[string]any{"Version": cmp.Or(d.Version, "2012-10-17"), "Statement": d.Statements}
	for name, v := range d.others {
		out[name] = v
	}
	return marshal(out)
}

// NewStatement returns a statement of the members given, which have to be as
// the grammar has them: it panics on others.
func NewStatement(members map[string]any) Statement {
	var st Statement
	if err := json.Unmarshal([]byte(marshal(members)), &st); err != nil {
		panic(err)
	}
	return st
}

// String returns the statement as JSON.
func (st Statement) String() string { return string(st.raw) }

// MarshalJSON returns the statement as it was read.
func (st Statement) MarshalJSON() ([]byte, error) { return st.raw, nil }

// UnmarshalJSON reads a statement.
func (st *Statement) UnmarshalJSON(raw []byte) error {
	type members Statement
	st.raw = bytes.Clone(raw)
	return json.Unmarshal(raw, (*members)(st))
}

// UnmarshalJSON reads either form of a principal.
func (p *Principal) UnmarshalJSON(raw []byte) error {
	if string(raw) == `"*"` {
		p.AWS = Values{"*"}
		return nil
	}
	type object Principal
	return json.Unmarshal(raw, (*object)(p))
}

// UnmarshalJSON reads either form.
func (v *Values) UnmarshalJSON(raw []byte) error {
	var node any
	if err := json.Unmarshal(raw, &node); err != nil {
		return err
	}
	list, ok := node.([]any)
	if !ok {
		list = []any{node}
	}
	*v = nil
	for _, e := range list {
		switch e.(type) {
		case string, bool, float64:
			*v = append(*v, fmt.Sprint(e))
		default:
			return fmt.Errorf("%s is neither a value nor a list of values", raw)
		}
	}
	return nil
}

// marshal returns the JSON of what always has one.
func marshal(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
