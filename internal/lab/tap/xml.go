package tap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// An element is one XML element of a reply.
type element struct {
	name     string
	xmlns    string
	text     string
	children []*element
}

// parseXML returns the root element, or nil for text that is not XML.
func parseXML(body []byte) *element {
	d := xml.NewDecoder(bytes.NewReader(body))
	top := &element{}
	open := []*element{top}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) && len(top.children) == 1 {
			return top.children[0]
		}
		if err != nil {
			return nil
		}
		last := open[len(open)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &element{name: tok.Name.Local, xmlns: tok.Name.Space}
			last.children = append(last.children, e)
			open = append(open, e)
		case xml.CharData:
			last.text += string(tok)
		case xml.EndElement:
			last.text = strings.TrimSpace(last.text)
			open = open[:len(open)-1]
		}
	}
}

// find returns the first element of that name at or below e, or nil.
func (e *element) find(name string) *element {
	if e == nil || e.name == name {
		return e
	}
	for _, c := range e.children {
		if f := c.find(name); f != nil {
			return f
		}
	}
	return nil
}

// textOf returns the text of the first element with that name, or "" if there
// is none.
func (e *element) textOf(name string) string {
	if f := e.find(name); f != nil {
		return f.text
	}
	return ""
}
