#ifndef CDOCUMENTS_H
#define CDOCUMENTS_H

#include <stddef.h>

// Files of this directory that are part of the program: what is compiled is what was read and checked.

typedef struct {
  const void *_Nonnull bytes;
  size_t count;
} Document;

Document document_openapi(void);
Document document_asyncapi(void);
Document document_page(void);

#endif
