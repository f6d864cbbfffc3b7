// Command trails is the Lambda that heals what events of its kind may have harmed.
package main

import (
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

func main() { app.Serve(catalog.Function(catalog.Trails)) }
