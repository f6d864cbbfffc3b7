// Package iampolicy reads, compares and writes IAM policy documents: trust
// policies, permissions, permissions boundaries, and the policies of topics, keys,
// queues and functions. It does not evaluate them: each planner asks only for what it needs.
//
// No library fits. hashicorp/awspolicyequivalence only compares documents, and
// two statements with different Sids are different to it. liamg/iamgo and
// micahhausler/aws-iam-policy do not match patterns, and they drop or reject
// unknown members, which relight must keep in other people's policies.
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

// These are the effects of a statement.
const (
	Allow = "Allow"
	Deny  = "Deny"
)

// A Document is a policy document. It keeps the members that this package does
// not know, and writes them again.
type Document struct {
	Version    string // "" means the current version
	Statements []Statement

	others map[string]json.RawMessage
}

// A Statement is one statement of a document. Writing it returns the JSON that
// was read.
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

// A Principal is "*", which means {"AWS": "*"} to AWS, or an object of lists.
type Principal struct{ AWS, Service Values }

// Values are one or more values. The grammar allows a single value or a list.
// The value of a condition may be a boolean or a number.
type Values []string

// Parse reads a document. It returns a document without statements if the text
// is empty.
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

// New returns a document of the current version with the statements.
func New(statements ...Statement) Document { return Document{Statements: statements} }

// String returns the document as JSON.
func (d Document) String() string {
	out := map[string]any{"Version": cmp.Or(d.Version, "2012-10-17"), "Statement": d.Statements}
	for name, v := range d.others {
		out[name] = v
	}
	return marshal(out)
}

// NewStatement returns a statement with the given members. It panics if the
// grammar does not allow them.
func NewStatement(members map[string]any) Statement {
	var st Statement
	if err := json.Unmarshal([]byte(marshal(members)), &st); err != nil {
		panic(err)
	}
	return st
}

// String returns the statement as JSON.
func (st Statement) String() string { return string(st.raw) }

// MarshalJSON returns the JSON from which the statement was read.
func (st Statement) MarshalJSON() ([]byte, error) { return st.raw, nil }

// UnmarshalJSON reads a statement.
func (st *Statement) UnmarshalJSON(raw []byte) error {
	type members Statement
	st.raw = bytes.Clone(raw)
	return json.Unmarshal(raw, (*members)(st))
}

// UnmarshalJSON reads a principal, which is either "*" or an object.
func (p *Principal) UnmarshalJSON(raw []byte) error {
	if string(raw) == `"*"` {
		p.AWS = Values{"*"}
		return nil
	}
	type object Principal
	return json.Unmarshal(raw, (*object)(p))
}

// UnmarshalJSON reads a single value or a list of values.
func (v *Values) UnmarshalJSON(raw []byte) error {
	list := []json.RawMessage{raw}
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
	}
	*v = nil
	for _, e := range list {
		switch e[0] {
		case '"':
			var text string
			if err := json.Unmarshal(e, &text); err != nil {
				return err
			}
			*v = append(*v, text)
		case '{', '[', 'n': // null
			return fmt.Errorf("%s is neither a value nor a list of values", raw)
		default: // a number of an account stays as it is written
			*v = append(*v, string(e))
		}
	}
	return nil
}

// marshal returns the JSON of a value. It panics if the value has none.
func marshal(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
