package awstest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// Clone returns an account with the same contents, which no longer changes with this
// one: many tests that start from the same account need to make it only once. The
// clone has its own clients, and none of what a test sets beside the contents: the
// clock, the operations that the test answers, and what measures time.
func (a *Account) Clone() *Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &Account{ID: a.ID, Home: a.Home, others: map[reflect.Type]func(context.Context, any) (any, error){}, spent: map[string]tokens{}, throttled: Calls{}}
	copyOf(reflect.ValueOf(&c.contents).Elem(), reflect.ValueOf(&a.contents).Elem(), map[unsafe.Pointer]reflect.Value{})
	c.Clients = NewClients(c.Config())
	return c
}

// copyOf sets a value to a deep copy of another one. Two names of one map stay two
// names of one map.
func copyOf(to, from reflect.Value, maps map[unsafe.Pointer]reflect.Value) {
	t := from.Type()
	if plain(t) {
		to.Set(from)
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		if !from.IsNil() {
			v := reflect.New(t.Elem())
			copyOf(v.Elem(), from.Elem(), maps)
			to.Set(v)
		}
	case reflect.Slice:
		if !from.IsNil() {
			v := reflect.MakeSlice(t, from.Len(), from.Len())
			for i := range from.Len() {
				copyOf(v.Index(i), from.Index(i), maps)
			}
			to.Set(v)
		}
	case reflect.Map:
		if from.IsNil() {
			return
		}
		v, known := maps[from.UnsafePointer()]
		if !known {
			v = reflect.MakeMapWithSize(t, from.Len())
			maps[from.UnsafePointer()] = v
			key, was, is := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem(), reflect.New(t.Elem()).Elem()
			for it := from.MapRange(); it.Next(); {
				key.SetIterKey(it)
				was.SetIterValue(it)
				is.SetZero()
				copyOf(is, was, maps)
				v.SetMapIndex(key, is)
			}
		}
		to.Set(v)
	case reflect.Interface:
		if !from.IsNil() {
			was, is := reflect.New(from.Elem().Type()).Elem(), reflect.New(from.Elem().Type()).Elem()
			was.Set(from.Elem())
			copyOf(is, was, maps)
			to.Set(is)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			copyOf(exported(to.Field(i)), exported(from.Field(i)), maps)
		}
	default:
		panic(fmt.Sprintf("awstest: no copy of a %s is known", t))
	}
}

var plains sync.Map // whether a type is plain

// plain reports whether a value of a type is its own deep copy. A pointer to a
// text, a number or a time is, as the SDK has them for members: nobody writes through
// one.
func plain(t reflect.Type) bool {
	if known, ok := plains.Load(t); ok {
		return known.(bool) //nolint:forcetypeassert // nothing else is stored
	}
	is := false
	switch t.Kind() {
	case reflect.Pointer:
		is = t.Elem() == reflect.TypeFor[time.Time]() || t.Elem().Kind() != reflect.Struct && t.Elem().Kind() != reflect.Pointer && plain(t.Elem())
	case reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Array:
	case reflect.Struct:
		is = true
		for i := range t.NumField() {
			is = is && plain(t.Field(i).Type)
		}
		is = is || t == reflect.TypeFor[time.Time]()
	default:
		is = true
	}
	plains.Store(t, is)
	return is
}

// exported returns a field that can be read and set, whether its name is exported or
// not.
func exported(field reflect.Value) reflect.Value {
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem() //nolint:gosec // the fields of this package's own types
}
