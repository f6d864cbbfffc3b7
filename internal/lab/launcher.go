package lab

import (
	"embed"
	"io/fs"
	"os"
)

// launcher contains the code that starts MiniStack with the parts of AWS that
// it lacks.
//
//go:embed launcher/*.py
var launcher embed.FS

// writeLauncher writes the launcher into dir, where Python can run it.
func writeLauncher(dir string) error {
	if err := os.RemoveAll(dir); err != nil { // of an earlier run
		return err
	}
	files, err := fs.Sub(launcher, "launcher")
	if err != nil {
		return err
	}
	return os.CopyFS(dir, files)
}
