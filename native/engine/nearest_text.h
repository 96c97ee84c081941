#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/loaded_model.h"

namespace eta {

// An encoded picture as the text that is nearest to it: in the place of each row the token whose row of the model's
// table of token embeddings has the largest cosine with it, of equal ones the first. Control tokens are none of them,
// because what a picture shows must not end its turn. The table is read from the model's file, as much of it at a time
// as is compared. On the model's thread. `is_cancelled` is asked every few milliseconds.
// Throws NativeError MODEL_LOAD_FAILED where the file has no such table, IMAGE_FAILED for rows that are no numbers, or
// CANCELLED.
std::vector<std::shared_ptr<const vision::ImageChunk>> NearestText(
    const LoadedModel& model, const std::vector<std::shared_ptr<const vision::ImageChunk>>& chunks,
    const std::function<bool()>& is_cancelled);

}  // namespace eta
