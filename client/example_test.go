package client_test

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/client"
)

// exampleNode is a node for an example, and a token for it.
func exampleNode() (url, token string, end func()) {
	data, err := os.MkdirTemp("", "easel-example")
	if err != nil {
		panic(err)
	}
	n, err := start(data)
	if err != nil {
		panic(err)
	}
	token, err = n.token("ada", "reviewer")
	if err != nil {
		panic(err)
	}
	return "http://" + n.address, token, func() {
		n.end(syscall.SIGTERM)
		_ = os.RemoveAll(data)
	}
}

// Draw a polygon that everyone sees at once, and follow what others draw.
func Example() {
	url, token, end := exampleNode() // yours is already there
	defer end()
	ctx := context.Background()

	c, err := client.New(client.Config{URL: url, Token: token})
	if err != nil {
		panic(err)
	}
	image, err := c.Upload(ctx, "cat.png", picture())
	if err != nil {
		panic(err)
	}
	live, err := c.Live(ctx, image.ID, client.LiveConfig{Name: "Ada's script"})
	if err != nil {
		panic(err)
	}
	defer live.Close()

	ack, err := live.Do(ctx, client.Put(client.Shaped("cat", easel.Geometry{
		Type: easel.ShapePolygon, Points: []easel.Point{{0.25, 0.25}, {0.75, 0.25}, {0.5, 0.75}},
	})))
	if err != nil {
		panic(err)
	}
	cat, _ := live.Annotation(ack.Results[0].ID)
	fmt.Println(cat.Label, cat.Shape)
	fmt.Println("in a box of", cat.Width, "by", cat.Height)
	// Output:
	// cat {"type":"polygon","points":[[0.25,0.25],[0.75,0.25],[0.5,0.75]]}
	// in a box of 0.5 by 0.5
}

// A model proposes, and a reviewer takes what is sure enough.
func ExampleClient_Accept() {
	url, token, end := exampleNode() // yours is already there
	defer end()
	ctx := context.Background()
	c, err := client.New(client.Config{URL: url, Token: token})
	if err != nil {
		panic(err)
	}
	image, err := c.Upload(ctx, "street.png", picture())
	if err != nil {
		panic(err)
	}
	for _, sure := range []float64{0.95, 0.7, 0.2} {
		if _, err := c.Draw(ctx, image.ID, easel.Draft{
			Label: "car", X: 0.1, Y: 0.1, Width: 0.5, Height: 0.25, Confidence: &sure, Source: easel.SourceModel, Model: "yolo 11",
		}); err != nil {
			panic(err)
		}
	}
	enough := 0.7
	n, err := c.Accept(ctx, image.ID, client.Judgement{MinConfidence: &enough})
	if err != nil {
		panic(err)
	}
	fmt.Println("accepted", n)
	// Output: accepted 2
}
