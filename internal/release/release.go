// Package release writes archives whose bytes depend on nothing but what is in them: not
// on the machine, the user, the order of a folder, or when they are built.
package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// SumsFile is the name of the file with the checksums of the others in its folder.
const SumsFile = "SHA256SUMS"

// Earliest is the earliest time that a zip archive can say.
var Earliest = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// A File is a file of an archive.
type File struct {
	Name string // with slashes
	Mode fs.FileMode
	Data []byte
}

func sorted(files []File) []File {
	return slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
}

// Zip returns a zip archive of the files, as small as can be, all changed at the given
// time, which is not before Earliest.
func Zip(at time.Time, files []File) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) { return flate.NewWriter(to, flate.BestCompression) })
	for _, f := range sorted(files) {
		h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at.UTC()}
		if strings.HasSuffix(f.Name, ".zip") { // compressed already
			h.Method = zip.Store
		}
		h.SetMode(f.Mode)
		to, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := to.Write(f.Data); err != nil {
			return nil, err
		}
	}
	err := w.Close() // which writes the directory
	return out.Bytes(), err
}

// TarGz returns a compressed tar archive of the files, all changed at the given time.
func TarGz(at time.Time, files []File) ([]byte, error) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, f := range sorted(files) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: int64(f.Mode.Perm()), Size: int64(len(f.Data)), ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	err := zipped.Close()
	return out.Bytes(), err
}

// Sums writes SumsFile for every other file of a folder, as sha256sum reads it.
func Sums(dir string) error {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, e := range entries {
		if e.IsDir() || e.Name() == SumsFile {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s  %s\n", Sum(raw), e.Name())
	}
	return os.WriteFile(filepath.Join(dir, SumsFile), []byte(text.String()), 0o644) //nolint:gosec // everybody may read a release
}

// Sum returns the checksum of data.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
